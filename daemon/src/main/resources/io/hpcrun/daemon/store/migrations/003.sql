-- Which launches are open: neither their records nor Slurm have told an end. Their states are those of JobState.
alter table launch add column is_open bigint not null default 0;
update launch set is_open = 1
  where state in ('running', 'unknown')
    and (slurm_state is null
      or slurm_state not in ('BOOT_FAIL', 'CANCELLED', 'COMPLETED', 'DEADLINE', 'FAILED', 'NODE_FAIL',
        'OUT_OF_MEMORY', 'PREEMPTED', 'REVOKED', 'TIMEOUT', 'REQUEUED', 'lost'));
create index launch_open on launch (cluster, uid, id, is_open) where is_open = 1;
create index launch_state on launch (state, begun_ns, id);
create index launch_share on launch (uid, is_open, updated_ns);

-- How much each user has, as UserUsage counts it: nobody has to look at all launches to know who has the most.
create table user_usage (
  uid bigint primary key,
  nodes bigint not null,
  bytes bigint not null
);
insert into user_usage (uid, nodes, bytes)
  select uid, sum(nodes), sum(bytes) from (
    select l.uid as uid, 0 as nodes, coalesce(octet_length(l.record), 0) + 300 as bytes from launch l
    union all
    select l.uid, 1, octet_length(n.record) + octet_length(n.ranks_data) + 150
      from node n join launch l on l.id = n.launch_id
  ) every group by uid;
