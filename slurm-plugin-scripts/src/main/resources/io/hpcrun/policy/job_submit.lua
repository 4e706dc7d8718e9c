-- Slurm's job_submit/lua: jobs of the container partitions are those of hpcrun, and keep the site's rules; all other jobs
-- pass untouched. An error in here is logged; it refuses a job of a container partition, and no other.

local NAME = 'hpcrun policy'

local find = string.find

local function log(text)
  slurm.log_info('%s', NAME .. ': ' .. text)
end

-- A rule that is not the site's own.
local function built_in(id, reason, what)
  return judge.words({ id = id, reason = reason, contact = policy.contact }, what)
end

-- The container partition among those that are asked for, or nil.
local function container_partition(partitions)
  for _, name in ipairs(partitions or {}) do
    if judge.matches_one(policy.partitions, name) then
      return name
    end
  end
end

local function too_long(text)
  return text ~= nil and #text > judge.LONGEST_TEXT
end

-- What is wrong with a variable that lists its parts by colons; nil if each part is allowed.
local function variable_problem(rule, value)
  if #rule.globs > 0 and find(':' .. value .. ':', '::', 1, true) then
    return rule.name .. ' has an empty part, which stands for the working directory; take out the colon too many'
  end
  for _, part in ipairs(facts.split(value, ':')) do
    local shown = rule.name .. ' holds ' .. judge.shown(part)
    if not judge.matches_one(rule.globs, part) then
      return shown .. '; ' .. rule.say
    elseif facts.has_dots(part) then
      return shown .. ", and with '..' in it that may lead anywhere; write the path without"
    end
  end
end

-- What is wrong with the variables of the job.
local function environment_problem(environment)
  if #policy.environment > 0 and environment 'SLURM_GET_USER_ENV' then
    return 'the variables are those that a login sets (--export of all but ALL, --get-user-env), not known here; leave it out'
  end
  for _, rule in ipairs(policy.environment) do
    local value = environment(rule.name)
    -- With an empty PATH programs are looked for in the working directory; other variables are as if they were not set.
    if value and (value ~= '' or rule.name == 'PATH') then
      if #value > 65536 then
        return rule.name .. ' is longer than a policy looks at'
      end
      local problem = variable_problem(rule, value)
      if problem then
        return problem
      end
    end
  end
end

-- What in the data is not this site's hpcrun's, though it is written as hpcrun writes it.
local function foreign_part(data, other)
  if other then
    return 'hpcrun_container holds ' .. judge.shown(other) .. ', not written as hpcrun writes it'
  end
  for _, option in ipairs(data.srun) do
    if not judge.matches_one(policy.srun, option) then
      return string.format('the option %s of srun; %s', judge.shown(option), policy.srun_say)
    end
  end
  if data.program ~= '' and not policy.programs[string.sub(data.program, -64)] then
    return 'hpcrun_program is not the hpcrun-enter of this site'
  end
  for _, directory in ipairs(data.spool == '' and {} or facts.split(data.spool, ':')) do
    if not policy.spools[directory] then
      return 'hpcrun_spool holds ' .. judge.shown(directory)
    end
  end
end

local function no_job_of_hpcrun(what)
  return { built_in('job-script', policy.script_reason, what) }, {}
end

-- Messages that refuse a job of a container partition, and warnings.
local function judge_job(job_desc, part_list, partition)
  local known, unknown = {}, {}
  local function field(name)
    return job_desc[name]
  end
  if too_long(field 'partition') or too_long(field 'reservation') then
    return no_job_of_hpcrun('the list of partitions or reservations is too long')
  elseif field 'container' then
    return no_job_of_hpcrun("--container is another way to containers than hpcrun's")
  end
  facts.of_job(slurm, field, part_list, known, unknown)
  local text = field 'script'
  if not text then
    if not policy.interactive then
      return no_job_of_hpcrun(partition .. ' takes no jobs without a script, as of srun and salloc')
    end
    known.kind = { 'interactive' }
    return judge.judge(policy.rules, known, unknown, function(rule)
      return not rule.container
    end)
  end
  local data, problem = script.read(text, policy.agents)
  if not data then
    return no_job_of_hpcrun(problem)
  elseif data.kind == 'script' and not policy.user_scripts then
    return no_job_of_hpcrun("it is a script that starts launches itself, a user's or a job file's; submit one command")
  end
  local variables = field 'environment'
  local function environment(name)
    return variables[name]
  end
  local other = facts.of_script(data, environment, known, unknown)
  problem = environment_problem(environment) or foreign_part(data, other)
  if problem then
    return no_job_of_hpcrun(problem)
  end
  return judge.judge(policy.rules, known, unknown)
end

local MOST_MESSAGES = 5

local function answer(who, refusals, warnings)
  local list = #refusals > 0 and refusals or warnings
  for i = 1, math.min(#list, MOST_MESSAGES) do
    slurm.user_msg((#refusals > 0 and '' or 'warning: ') .. list[i])
  end
  if #refusals > 0 then
    log(who .. ' refused: ' .. refusals[1])
    return slurm.ESLURM_ACCESS_DENIED or slurm.ERROR
  end
  return slurm.SUCCESS
end

-- Runs `check`, whose errors refuse only jobs of container partitions.
local function guarded(who, partition, check)
  local done, refusals, warnings = pcall(check)
  if not done then
    slurm.log_error('%s', NAME .. ': ' .. who .. ': ' .. tostring(refusals))
    local what = "slurmctld's log says why; the partition is " .. partition
    slurm.user_msg(built_in('error', "hpcrun's policy cannot be judged", what))
    return slurm.ERROR
  end
  return answer(who, refusals, warnings)
end

-- The container partition that a request is for, or nil. An error here concerns no job: it is logged.
local function concerned(partition, reservation, part_list)
  local done, result = pcall(function()
    if too_long(partition) or too_long(reservation) then
      return '(a list that is too long)'
    end
    return container_partition(facts.partitions(slurm, partition, reservation, part_list))
  end)
  if not done then
    slurm.log_error('%s', NAME .. ': ' .. tostring(result))
    return nil
  end
  return result
end

function slurm_job_submit(job_desc, part_list, submit_uid)
  local partition = concerned(job_desc.partition, job_desc.reservation, part_list)
  if not partition then
    return slurm.SUCCESS
  end
  return guarded('uid ' .. tostring(submit_uid), partition, function()
    return judge_job(job_desc, part_list, partition)
  end)
end

-- Facts that an update of these fields changes.
local CHANGES = {
  partition = { 'partition', 'time' },
  account = { 'account' },
  qos = { 'qos' },
  min_nodes = { 'nodes', 'tasks', 'gpus', 'memory' },
  max_nodes = { 'nodes', 'tasks', 'gpus', 'memory' },
  req_nodes = { 'nodes', 'tasks', 'gpus', 'memory' },
  num_tasks = { 'tasks', 'nodes', 'gpus', 'memory' },
  ntasks_per_node = { 'tasks', 'gpus', 'memory' },
  time_limit = { 'time' },
  tres_per_job = { 'gpus', 'memory' },
  tres_per_node = { 'gpus', 'memory' },
  tres_per_socket = { 'gpus', 'memory' },
  tres_per_task = { 'gpus', 'gpus-per-task', 'memory' },
  min_mem_per_node = { 'memory' },
  min_mem_per_cpu = { 'memory' },
  mem_per_tres = { 'memory' },
  cpus_per_task = { 'memory' },
  pn_min_cpus = { 'memory' },
}

local function is_set(value)
  return value ~= nil and value ~= '' and value ~= slurm.NO_VAL and value ~= slurm.NO_VAL16
    and not (type(value) == 'number' and value >= 4294967294)
end

-- The facts that an update changes; nil if none.
local function changes(job_desc)
  local changed
  for field, names in pairs(CHANGES) do
    local value = job_desc[field]
    if is_set(value) or (field == 'time_limit' and value == slurm.INFINITE) then
      changed = changed or {}
      for _, name in ipairs(names) do
        changed[name] = true
      end
    end
  end
  return changed
end

-- What of a waiting job slurmctld does not tell, so that the others are not known either.
local function forget(job_desc, known, unknown)
  local why = 'it is not known of a job that waits'
  if not is_set(job_desc.num_tasks) then
    known.tasks, unknown.tasks = nil, why
    if (known['gpus-per-task'] or 0) > 0 then
      unknown.gpus = why
    end
  end
  if not is_set(job_desc.min_mem_per_node) then
    unknown.memory = why
  end
  for _, name in ipairs { 'bind', 'bind-writable', 'bind-destination', 'home' } do
    unknown[name] = why
  end
end

-- A job of a container partition that changes: what it runs was judged when it was submitted, so only the rules about what
-- changes are.
local function judge_change(job_desc, job_rec, part_list, changed)
  local known, unknown = {}, {}
  facts.of_job(slurm, function(name)
    local value = job_desc[name]
    if is_set(value) or (name == 'time_limit' and value == slurm.INFINITE) then
      return value
    end
    return job_rec[name]
  end, part_list, known, unknown)
  local text = job_rec.script
  local data = text and script.read(text, policy.agents)
  if data then
    facts.of_script(data, function() end, known, unknown)
  elseif not text then
    known.kind = { 'interactive' }
  end
  forget(job_desc, known, unknown)
  return judge.judge(policy.rules, known, unknown, function(rule)
    if not text and rule.container then
      return false
    end
    for _, name in ipairs(rule.facts) do
      if changed[name] then
        return true
      end
    end
    return false
  end)
end

function slurm_job_modify(job_desc, job_rec, part_list, modify_uid)
  local partition = concerned(job_desc.partition or job_rec.partition, nil, part_list)
  -- root knows what it does.
  if not partition or modify_uid == 0 then
    return slurm.SUCCESS
  end
  local who = string.format('uid %s, job %s:', tostring(modify_uid), tostring(job_rec.job_id))
  return guarded(who, partition, function()
    if not container_partition(facts.partitions(slurm, job_rec.partition, nil, part_list)) then
      local what = 'a job of another partition cannot be moved to ' .. partition .. '; submit it anew'
      return no_job_of_hpcrun(what)
    end
    local changed = changes(job_desc)
    if not changed then
      return {}, {}
    end
    return judge_change(job_desc, job_rec, part_list, changed)
  end)
end

slurm.log_info('%s', NAME .. ': loaded, ' .. #policy.rules .. ' rules, of hpcrun ' .. policy.version)
return slurm.SUCCESS
