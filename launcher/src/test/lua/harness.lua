-- Calls an exported job_submit.lua as slurmctld does. Usage: harness.lua JOB_SUBMIT CASES, CASES being a Lua file that returns
-- a list of tables: desc, parts, and for a change also rec; prints the answer to each, one line each, with the messages
-- behind the code.
local submit_file, cases_file = arg[1], arg[2]
local messages = {}
slurm = {
  SUCCESS = 0, ERROR = -1, ESLURM_ACCESS_DENIED = 2002, NO_VAL = 4294967294, NO_VAL16 = 65534, INFINITE = 4294967295,
  NO_VAL64 = 1.8446744073709552e19,
  reservations = { course = { partition = 'containers' }, other = {} },
  user_msg = function(text) messages[#messages + 1] = text end,
  log_info = function() end,
  log_error = function(...) messages[#messages + 1] = 'LOG ' .. string.format(...) end,
}
assert(dofile(submit_file) == 0)
for _, case in ipairs(dofile(cases_file)) do
  messages = {}
  local parts = case.parts or { main = { flag_default = 1, default_time = slurm.NO_VAL, max_time = slurm.INFINITE },
    containers = { flag_default = 0, default_time = slurm.NO_VAL, max_time = 60 } }
  local code
  local desc = case.desc
  if type(desc.environment) == 'string' then
    error('the environment is a table')
  end
  desc.environment = desc.environment or {}
  local began = os.clock()
  if case.rec then
    code = slurm_job_modify(desc, case.rec, parts, case.uid or 1001)
  else
    code = slurm_job_submit(desc, parts, case.uid or 1001)
  end
  local spent = os.clock() - began
  print((string.gsub(string.format('%d %.0f %s', code, spent * 1e6, table.concat(messages, ' | ')), '\n', '\\n')))
end
