-- Slurm's cli_filter/lua: says in the user's shell, before anything is sent, what slurmctld would say of a job of a container
-- partition. It decides nothing: what it does not know, or cannot do, is left to slurmctld.

local function built_in(what)
  return judge.words({ id = 'job-script', reason = policy.script_reason, contact = policy.contact }, what)
end

local function container_partition(wanted)
  for _, name in ipairs(facts.split(wanted, ',')) do
    if judge.matches_one(policy.partitions, name) then
      return name
    end
  end
end

-- An option that was given; Slurm has words of its own for those that were not.
local function given(options, name)
  local value = options[name]
  if value and value ~= '' and value ~= 'unset' and value ~= 'invalid-context' then
    return value
  end
end

-- What is wrong with the script, as far as its file tells.
local function script_problem(options)
  if given(options, 'wrap') then
    return built_in('hpcrun did not write it')
  end
  local arguments = options.argv
  local file = arguments and arguments[1] and io.open(arguments[1], 'rb')
  if not file then
    return nil
  end
  local text = file:read(65536) or ''
  file:close()
  if string.sub(text, 1, #script.HEAD) ~= script.HEAD or not string.find(text, 'Written by hpcrun', 1, true) then
    return built_in('hpcrun did not write it')
  end
end

-- Facts that are known for sure from the options.
local function known_facts(options)
  local known = { partition = facts.split(options.partition, ',') }
  for _, name in ipairs { 'account', 'qos' } do
    local value = given(options, name)
    known[name] = value and { value } or nil
  end
  local minutes = given(options, 'time') and slurm.time_str2mins and slurm.time_str2mins(options.time)
  if minutes and minutes > 0 and minutes < 4294967294 then
    known.time = minutes * 60
  end
  local least, most = string.match(given(options, 'nodes') or '', '^(%d+)%-?(%d*)$')
  if least and most ~= '0' then
    known.nodes = tonumber(most ~= '' and most or least)
  end
  return known
end

local function check(options)
  -- A step of a job that has been judged.
  if os.getenv 'SLURM_JOB_ID' or given(options, 'jobid') or not given(options, 'partition') then
    return {}
  end
  local partition = container_partition(options.partition)
  if not partition then
    return {}
  end
  if options.type ~= 'sbatch' then
    if not policy.interactive then
      return { built_in(partition .. ' takes no jobs without a script, as of srun and salloc') }
    end
  else
    local problem = script_problem(options)
    if problem then
      return { problem }
    end
  end
  local known = known_facts(options)
  return (judge.judge(policy.rules, known, {}, function(rule)
    for _, name in ipairs(rule.facts) do
      if known[name] == nil then
        return false
      end
    end
    return true
  end))
end

function slurm_cli_setup_defaults()
  return slurm.SUCCESS
end

function slurm_cli_pre_submit(options)
  local done, refusals = pcall(check, options)
  if not done or #refusals == 0 then
    return slurm.SUCCESS
  end
  for _, words in ipairs(refusals) do
    slurm.log_error('%s', words)
  end
  return slurm.ERROR
end

function slurm_cli_post_submit()
  return slurm.SUCCESS
end

return slurm.SUCCESS
