-- The facts of a job, as far as slurmctld has them: from the data of its script (script.lua) and from the request.

local facts = {}

local find, sub, gsub = string.find, string.sub, string.gsub

-- What a list in a request may have; more is not looked at.
local LONGEST = 4096

local FLAGS = {
  ['--nv'] = true, ['--rocm'] = true, ['--no-nv'] = true, ['--no-rocm'] = true, ['--writable-tmpfs'] = true,
  ['--no-home'] = true, ['--contain'] = true,
}

-- Variables by which a user's environment changes the containers, each for Apptainer and SingularityCE.
local BINDS = { 'BIND', 'BINDPATH' }
local OTHER_MOUNTS = {
  'MOUNT', 'OVERLAY', 'OVERLAYIMAGE', 'SCRATCH', 'SCRATCHDIR', 'WORKDIR', 'HOME', 'FUSESPEC', 'CONTAINLIBS',
}
local RUNTIMES = { 'APPTAINER_', 'SINGULARITY_' }

function facts.split(text, separator)
  local parts, from = {}, 1
  while true do
    local at = find(text, separator, from, true)
    parts[#parts + 1] = sub(text, from, (at or #text + 1) - 1)
    if not at then
      return parts
    end
    from = at + #separator
  end
end

function facts.has_dots(path)
  return find('/' .. path .. '/', '/../', 1, true) ~= nil
end

-- Why a path says nothing of where it leads, or nil.
local function path_problem(path)
  if facts.has_dots(path) then
    return "a path holds '..'"
  elseif sub(path, 1, 1) ~= '/' then
    return 'a path does not begin with /'
  end
end

-- ---- the container

-- type=bind,"source=…","destination=…"[,ro], with "" for a quote.
local function mount(text)
  local head, middle = 'type=bind,"source=', '","destination='
  local tail = sub(text, -4) == '",ro' and '",ro' or '"'
  local at, stop = find(text, middle, #head + 1, true)
  if sub(text, 1, #head) ~= head or sub(text, -#tail) ~= tail or not at or stop > #text - #tail then
    return nil
  end
  local source, destination = sub(text, #head + 1, at - 1), sub(text, stop + 1, -#tail - 1)
  -- A single quote ends the field, and another source may follow, of which Apptainer takes the last.
  if find((gsub(source .. ' ' .. destination, '""', '')), '"', 1, true) then
    return nil
  end
  return (gsub(source, '""', '"')), (gsub(destination, '""', '"')), tail == '"'
end

-- SOURCE[:DESTINATION[:OPTIONS]]
local function bind(text)
  local parts = facts.split(text, ':')
  if #parts > 3 then
    return nil
  end
  return parts[1], parts[2] or parts[1], not find(',' .. (parts[3] or '') .. ',', ',ro,', 1, true)
end

-- The same as hpcrun writes it: one bind, of plain paths, with :ro or nothing. At a comma Apptainer would begin another.
local function plain_bind(text)
  if find(text, '[\1-\32\127,"\\=]') then
    return nil
  end
  local source, destination, writable = bind(text)
  if not source or sub(source, 1, 1) ~= '/' or sub(destination, 1, 1) ~= '/' then
    return nil
  elseif writable and #facts.split(text, ':') > 2 then
    return nil
  end
  return source, destination, writable
end

-- SOURCE[:DESTINATION]
local function home(text)
  local parts = facts.split(text, ':')
  if #parts > 2 then
    return nil
  end
  return parts[1], parts[2] or parts[1], true
end

local function add_bind(known, unknown, source, destination, writable)
  local why = path_problem(source)
  if why then
    unknown.bind, unknown['bind-writable'] = why, why
  end
  why = path_problem(destination)
  if why then
    unknown['bind-destination'] = why
  end
  known.bind[#known.bind + 1] = source
  known['bind-destination'][#known['bind-destination'] + 1] = destination
  if writable then
    known['bind-writable'][#known['bind-writable'] + 1] = source
  end
end

-- Options that show a path of the node, and what reads their operands.
local SHOWS = { ['--bind'] = plain_bind, ['--mount'] = mount, ['--home'] = home }

-- Options of `apptainer exec`; returns what hpcrun would not have written among them.
local function container(words, known, unknown)
  local i = 1
  while i <= #words do
    local word, operand = words[i], words[i + 1]
    if FLAGS[word] then
      known.flags[#known.flags + 1] = sub(word, 3)
      known.home = known.home and word ~= '--no-home' and word ~= '--contain'
      i = i + 1
    elseif word == '--no-eval' then
      i = i + 1
    elseif not operand then
      return word
    else
      local read = SHOWS[word]
      if read then
        local source, destination, writable = read(operand)
        if not source then
          return word .. ' ' .. operand
        end
        add_bind(known, unknown, source, destination, writable)
        known.home = known.home and word ~= '--home'
      elseif word == '--no-mount' then
        known.home = known.home and not find(',' .. operand .. ',', ',home,', 1, true)
      elseif word ~= '--pwd' then
        return word
      end
      i = i + 2
    end
  end
end

local function hide_binds(unknown, why)
  unknown.bind, unknown['bind-writable'], unknown['bind-destination'] = why, why, why
end

-- SOURCE[:DESTINATION[:OPTIONS]], and more behind commas. Options may hold commas, too.
local function variable_binds(name, value, known, unknown)
  if find(value, '\\', 1, true) then
    hide_binds(unknown, 'the environment sets ' .. name .. ' with a backslash; unset it')
    return
  end
  for _, each in ipairs(facts.split(value, ',')) do
    if each ~= '' and each ~= 'ro' and each ~= 'rw' then
      local source, destination, writable = bind(each)
      if source then
        add_bind(known, unknown, source, destination, writable)
      else
        hide_binds(unknown, 'the environment sets ' .. name .. ' with too many colons; unset it')
      end
    end
  end
end

-- What the job's environment adds to the container.
local function environment_binds(environment, known, unknown)
  for _, runtime in ipairs(RUNTIMES) do
    for _, name in ipairs(BINDS) do
      variable_binds(runtime .. name, environment(runtime .. name) or '', known, unknown)
    end
    for _, name in ipairs(OTHER_MOUNTS) do
      local value = environment(runtime .. name)
      if value and value ~= '' then
        local why = 'the environment sets ' .. runtime .. name .. '; unset it'
        hide_binds(unknown, why)
        if name == 'HOME' then
          unknown.home = why
        end
      end
    end
  end
end

-- Facts of the script's data, and which part of it hpcrun would not have written.
function facts.of_script(data, environment, known, unknown)
  for _, name in ipairs { 'bind', 'bind-writable', 'bind-destination', 'flags', 'env' } do
    known[name] = {}
  end
  known.home = true
  known.kind = { data.kind }
  known.image = { data.image }
  if facts.has_dots(data.image) then
    unknown.image = "the path holds '..'"
  end
  known['image-format'] = { data.header == '' and 'sandbox' or 'sif' }
  known.command = { data.command[1] }
  known.mode, known.mpi = { data.mode }, { data.mpi }
  known['srun-options'] = data.srun
  local other = container(data.container, known, unknown)
  for _, flag in ipairs(data.gpu_flags) do
    known.flags[#known.flags + 1] = sub(flag, 3)
  end
  for i, variable in ipairs(data.environment) do
    known.env[i] = sub(variable, 1, find(variable, '=', 1, true) - 1)
  end
  for _, name in ipairs(data.by_name) do
    known.env[#known.env + 1] = name
  end
  environment_binds(environment, known, unknown)
  return other
end

-- ---- the job

-- GPUs in a list such as gres:gpu:h100:2,gres/gpu=1 or gpu:2; 0 if there are none.
function facts.gpus(text)
  local sum = 0
  if #(text or '') > LONGEST then
    return math.huge
  end
  for _, each in ipairs(facts.split(text or '', ',')) do
    local name = each
    if sub(name, 1, 5) == 'gres:' or sub(name, 1, 5) == 'gres/' then
      name = sub(name, 6)
    end
    local parts = facts.split((gsub(name, '=', ':')), ':')
    if parts[1] == 'gpu' then
      local number, unit = string.match(parts[#parts], '^(%d+)([kKmMgG]?)$')
      local scale = { k = 1024, m = 1048576, g = 1073741824 }
      sum = sum + (number and #parts > 1 and tonumber(number) * (scale[string.lower(unit)] or 1) or 1)
    end
  end
  return sum
end

local function set_number(slurm, value)
  if value and value ~= 0 and value ~= slurm.NO_VAL and value ~= slurm.NO_VAL16 and value < 4294967294 then
    return value
  end
end

-- The partitions of the reservations that are named.
local function reserved(slurm, reservations)
  local names = {}
  for _, name in ipairs(facts.split(reservations or '', ',')) do
    local reservation = (slurm.reservations or {})[name]
    local partition = reservation and reservation.partition
    if partition and partition ~= '' then
      names[#names + 1] = partition
    end
  end
  return names
end

-- The partitions that a job may run in, or nil. Where none is asked for, Slurm takes that of a reservation, if it has one.
function facts.partitions(slurm, wanted, reservations, part_list)
  if wanted and wanted ~= '' then
    return facts.split(wanted, ',')
  end
  local names = reserved(slurm, reservations)
  for name, partition in pairs(part_list) do
    if partition.flag_default == 1 or partition.flag_default == true then
      names[#names + 1] = name
    end
  end
  return #names > 0 and names or nil
end

-- Slurm's own rule: the partition's DefaultTime, or its MaxTime. The longest of several.
local function default_minutes(slurm, partitions, part_list)
  local longest
  for _, name in ipairs(partitions or {}) do
    local partition = part_list[name]
    local minutes = partition and partition.default_time
    if minutes == slurm.NO_VAL or minutes == nil then
      minutes = partition and partition.max_time
    end
    if not minutes then
      return nil
    end
    longest = math.max(longest or 0, minutes)
  end
  return longest
end

-- Nodes in a list such as c1,c2; 0 if there is none, nil if the names are not all written out.
local function listed(text)
  if not text or text == '' then
    return 0
  elseif #text > LONGEST or find(text, '[%[/]') then
    return nil
  end
  return #facts.split(text, ',')
end

-- Memory of a node, where all tasks may be on one.
local function memory(slurm, field, tasks, known, unknown)
  local each = field 'min_mem_per_node'
  if each and each > 0 and each < slurm.NO_VAL64 then
    known.memory = each * 1048576
    return
  end
  each = field 'min_mem_per_cpu'
  if each and each > 0 and each < slurm.NO_VAL64 then
    local cpus = (set_number(slurm, field 'cpus_per_task') or 1) * tasks
    known.memory = each * 1048576 * math.max(cpus, set_number(slurm, field 'pn_min_cpus') or 1)
    return
  end
  each = string.match(field 'mem_per_tres' or '', 'gpu[:=](%d+)')
  if each and known.gpus then
    known.memory = tonumber(each) * 1048576 * known.gpus
    return
  end
  unknown.memory = 'no size is asked for; give --mem'
end

-- Facts of the request. `field` gives a field of the job, by the name that job_submit/lua has for it.
function facts.of_job(slurm, field, part_list, known, unknown)
  known.partition = facts.partitions(slurm, field 'partition', field 'reservation', part_list)
  if not known.partition then
    unknown.partition = 'the cluster has no default partition; give --partition'
  end
  local account = field 'account' or field 'default_account'
  known.account = { account }
  local qos = field 'qos' or field 'default_qos'
  known.qos = { qos }
  known.user = { field 'user_name' }

  local tasks = set_number(slurm, field 'num_tasks')
  local most, least = set_number(slurm, field 'max_nodes'), set_number(slurm, field 'min_nodes')
  local per_node = set_number(slurm, field 'ntasks_per_node')
  local names = listed(field 'req_nodes')
  known.nodes = math.max(most or math.max(least or 1, tasks or 1), names or 0)
  known.tasks = tasks or known.nodes * (per_node or 1)

  local minutes = field 'time_limit'
  if minutes == nil or minutes == slurm.NO_VAL or minutes == 0 then
    minutes = default_minutes(slurm, known.partition, part_list)
  end
  if minutes then
    known.time = minutes * 60
  else
    unknown.time = 'no limit is asked for; give --time'
  end

  known['gpus-per-task'] = facts.gpus(field 'tres_per_task')
  local in_job, in_node = facts.gpus(field 'tres_per_job'), facts.gpus(field 'tres_per_node')
  if facts.gpus(field 'tres_per_socket') > 0 then
    unknown.gpus = 'GPUs are asked for each socket'
  else
    known.gpus = math.max(in_job, in_node * known.nodes, known['gpus-per-task'] * known.tasks)
  end
  memory(slurm, field, tasks or math.max(known.nodes, per_node or 1), known, unknown)
  for _, name in ipairs(names and {} or { 'nodes', 'tasks', 'gpus', 'memory' }) do
    unknown[name] = 'the list of nodes has brackets or is in a file; name fewer nodes, each by itself'
  end
end

return facts
