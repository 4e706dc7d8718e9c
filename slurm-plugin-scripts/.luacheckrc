-- What Slurm's plug-ins give, and what comes before in the file that `hpcrun policy export` writes.
std = 'min'
max_line_length = 130
files['src/main/resources/io/hpcrun/policy/job_submit.lua'] = {
  globals = { 'slurm_job_submit', 'slurm_job_modify' },
  read_globals = { 'slurm', 'policy', 'judge', 'script', 'facts' },
}
files['src/main/resources/io/hpcrun/policy/cli_filter.lua'] = {
  globals = { 'slurm_cli_setup_defaults', 'slurm_cli_pre_submit', 'slurm_cli_post_submit' },
  read_globals = { 'slurm', 'policy', 'judge', 'script', 'facts' },
}
