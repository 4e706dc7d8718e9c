-- Launches, and their nodes with all ranks packed (RankColumns): 10,000 nodes of 128 ranks are no rows of ranks.
-- ${id}, ${text} and ${bytes} differ between databases (Dialect).
create table launch (
  id ${id},
  cluster ${text} not null,
  uid bigint not null,
  user_name ${text},
  launch ${text} not null,
  begun_ns bigint not null,
  job ${text} not null,
  state ${text} not null,
  exit_code bigint,
  nodes bigint,
  ranks bigint,
  batch_node ${text},
  partition ${text},
  image ${text},
  image_id ${text},
  command ${text},
  mode ${text},
  mpi ${text},
  submit_s bigint,
  start_s bigint,
  script_ns bigint,
  prepare_asked_ns bigint,
  prepare_done_ns bigint,
  launch_asked_ns bigint,
  launch_done_ns bigint,
  slurm_state ${text},
  updated_ns bigint not null,
  record ${text},
  unique (cluster, uid, launch, begun_ns)
);
create index launch_begun on launch (begun_ns, id);
create index launch_uid on launch (uid, begun_ns, id);
create index launch_image on launch (image, begun_ns, id);
create index launch_job on launch (job);
create index launch_updated on launch (updated_ns);

create table node (
  id ${id},
  launch_id bigint not null,
  node ${text} not null,
  ranks bigint not null,
  record ${text} not null,
  ranks_data ${bytes} not null,
  unique (launch_id, node)
);
create index node_node on node (node, launch_id);

-- Launches that are gone already, and whose nodes still have to go, a few in each transaction.
create table removed (
  launch_id bigint primary key
);
