#!/bin/sh
# What a rank sees of the node's GPUs. A real program takes those that CUDA_VISIBLE_DEVICES names without
# knowing of it.
set -- /dev/nvidia[0-9]*
[ -e "$1" ] || shift
echo "rank $SLURM_PROCID on $SLURMD_NODENAME: GPU ${CUDA_VISIBLE_DEVICES:-none}, $# devices to copy between"
