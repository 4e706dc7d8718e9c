#!/usr/bin/env python3
"""What a training script does first, without PyTorch: the ranks meet at rank 0, by the variables that
torch.distributed.init_process_group() reads, and each takes the GPU of its local number."""
import os
import socket
import sys
import time

PATIENCE = 60  # seconds for the others to come

rank = int(os.environ["RANK"])
size = int(os.environ["WORLD_SIZE"])
place = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
gpus = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
gpu = gpus[int(os.environ["LOCAL_RANK"])]
mine = f"rank {rank} on {os.environ['SLURMD_NODENAME']} takes GPU {gpu} of {len(gpus)}"

if rank == 0:
    lines = {0: mine}
    with socket.create_server(("", place[1]), backlog=size) as server:
        server.settimeout(PATIENCE)
        while len(lines) < size:
            other, _ = server.accept()
            with other, other.makefile() as text:
                line = text.read()
                lines[int(line.split()[1])] = line
    print("\n".join(line for _, line in sorted(lines.items())))
    print(f"all {size} ranks have met; arguments: {sys.argv[1:]}")
else:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with socket.create_connection(place) as meeting:
                meeting.sendall(mine.encode())
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
