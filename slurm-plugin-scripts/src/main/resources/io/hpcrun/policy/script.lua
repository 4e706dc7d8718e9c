-- Reads a job script that hpcrun wrote: comments, then the launch as data, then the node agent, byte for byte, and nothing
-- else. What runs is then known from the data. Anything that hpcrun would not have written is refused: bash would read it
-- as a program. The grammar is that of io.hpcrun.script.JobScript and ShellWord; tests hold them together.

local script = {}

local find, sub, byte, char, concat = string.find, string.sub, string.byte, string.char, table.concat

script.HEAD = '#!/bin/bash -p\n'
local TAIL = '\n\nhpcrun_main "$@"\n'
local AGENT = '\n# ---- the node agent\n'

-- Bytes and words of the data, so that looking at them is short work for slurmctld. The text of a user's script, which is
-- passed over in one go, has no limit but Slurm's.
script.LONGEST_DATA = 262144
script.MOST_WORDS = 20000

local ESCAPES = { [110] = '\n', [116] = '\t', [114] = '\r', [39] = "'", [92] = '\\' }

local SINGLE, DOLLAR, NEWLINE, HASH, SPACE, OPEN, CLOSE = 39, 36, 10, 35, 32, 40, 41

local NOT_OURS = 'not one that hpcrun writes'

-- Fails with a table, which Lua's own errors are not.
local function refuse(state, what)
  if state.at > script.LONGEST_DATA then
    error({ refused = 'a line in it is ' .. what }, 0)
  end
  local line, from = 1, 1
  while true do
    local at = find(state.text, '\n', from, true)
    if not at or at >= state.at then
      break
    end
    line, from = line + 1, at + 1
  end
  error({ refused = string.format('line %d is %s', line, what) }, 0)
end

local function bound(state, length, parts)
  if length > script.LONGEST_DATA or parts > script.MOST_WORDS then
    refuse(state, 'longer than a policy looks at')
  end
end

-- '…', with '\'' for a quote in it.
local function single(state, lines)
  local text, at, parts = state.text, state.at, {}
  while true do
    local stop = find(text, "'", at + 1, true)
    if not stop then
      refuse(state, 'quoted without end')
    end
    bound(state, lines and 0 or stop - state.at, lines and #parts / 10 or #parts)
    local part = sub(text, at + 1, stop - 1)
    -- Control characters are written otherwise; a user's script is as it is.
    if not lines and find(part, '[\1-\31\127]') then
      refuse(state, NOT_OURS)
    end
    parts[#parts + 1] = part
    if sub(text, stop + 1, stop + 3) == "\\''" then
      parts[#parts + 1] = "'"
      at = stop + 3
    else
      state.at = stop + 1
      return concat(parts)
    end
  end
end

-- $'…' of printable ASCII, with \n \t \r \' \\ and three octal digits.
local function escaped(state)
  local text, at, parts = state.text, state.at + 2, {}
  while true do
    local stop = find(text, "[\\']", at)
    if not stop then
      refuse(state, 'quoted without end')
    end
    bound(state, stop - state.at, #parts)
    local part = sub(text, at, stop - 1)
    if find(part, '[^ -~]') then
      refuse(state, NOT_OURS)
    end
    parts[#parts + 1] = part
    if byte(text, stop) == SINGLE then
      state.at = stop + 1
      return concat(parts)
    end
    local code = byte(text, stop + 1)
    if ESCAPES[code or 0] then
      parts[#parts + 1] = ESCAPES[code]
      at = stop + 2
    else
      local octal = sub(text, stop + 1, stop + 3)
      local value = find(octal, '^[0-3][0-7][0-7]$') and tonumber(octal, 8) or 0
      if value == 0 then
        refuse(state, NOT_OURS)
      end
      parts[#parts + 1] = char(value)
      at = stop + 4
    end
  end
end

local function word(state, lines)
  state.words = state.words + 1
  bound(state, 0, state.words)
  local text, at = state.text, state.at
  local first = byte(text, at)
  if first == SINGLE then
    return single(state, lines)
  elseif first == DOLLAR and byte(text, at + 1) == SINGLE then
    return escaped(state)
  end
  local _, stop = find(text, '^[A-Za-z0-9_./:=@%%+-]+', at)
  if not stop then
    refuse(state, NOT_OURS)
  end
  state.at = stop + 1
  return sub(text, at, stop)
end

-- (WORD…), with a blank, or a line's end and two blanks, between words.
local function list(state)
  local text, words = state.text, {}
  state.at = state.at + 1
  if byte(text, state.at) == CLOSE then
    state.at = state.at + 1
    return words
  end
  while true do
    words[#words + 1] = word(state)
    local next = byte(text, state.at)
    if next == CLOSE then
      state.at = state.at + 1
      return words
    elseif next == SPACE then
      state.at = state.at + 1
    elseif sub(text, state.at, state.at + 2) == '\n  ' then
      state.at = state.at + 3
    else
      refuse(state, NOT_OURS)
    end
  end
end

-- ---- what each of the data may be

local function text_only()
  return true
end

local function pattern(form)
  return function(value)
    return #value <= 200 and find(value, form) ~= nil
  end
end

local function one_of(...)
  local allowed = {}
  for _, value in ipairs { ... } do
    allowed[value] = true
  end
  return function(value)
    return allowed[value] or false
  end
end

local number = pattern '^%d%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?$'
local digest = function(value)
  return value == '' or (#value == 64 and not find(value, '[^0-9a-f]'))
end
local label = pattern '^[a-z][a-z0-9-]*$'

local SCALARS = {
  kind = one_of('job', 'script'),
  image = text_only,
  header = digest,
  program = text_only,
  mode = one_of('auto', 'join', 'exec', 'sharens'),
  mpi = pattern '^[A-Za-z0-9_.-]+$',
  spool = text_only,
  gpus = one_of('slurm', 'hpcrun'),
  pin = one_of('yes', 'no'),
  fabric = label,
  require = one_of('yes', 'no'),
  memlock = number,
  providers = text_only,
  gres = one_of('yes', 'no'),
  -- The number is computed with on the nodes.
  driver = function(value)
    return value == '' or find(value, '^%d%d?%d?%d?%d?%d?:') ~= nil
  end,
  stage = one_of('node', 'shared'),
  stage_directory = text_only,
  stage_limit = number,
  digest = digest,
  image_size = number,
  records = text_only,
  ingest = text_only,
  facts = text_only,
}

-- FIRST:LAST:OFFSET:CONTACT:NAME:PATH, see guard.bash: computed with on the nodes.
local function guard(value)
  return #value <= 4096 and find(value, '^%-?%d+:%-?%d+:[0-9-]+:%l+:[^:%c]*:[^:%s]+$') ~= nil
end

local NAME = '^[A-Za-z_][A-Za-z0-9_]*$'
local VARIABLE = '^([A-Za-z_][A-Za-z0-9_]*)='

local function variable(value)
  return find(value, NAME) ~= nil
end

-- Which of the job's variables the ranks get: bash compares their names with it.
local function choice(value)
  return #value <= 65536 and find(value, '^[+-][A-Za-z0-9_*|?%[%]]+$') ~= nil
end

local function assignment(value)
  return find(value, VARIABLE) ~= nil
end

-- Variables that the planner sets for MPI and networks. They reach Slurm's and Apptainer's programs on the node, too.
local PREFIXES = { 'PMIX_', 'PRTE_', 'OMPI_', 'UCX_', 'NCCL_', 'RCCL_', 'FI_', 'MPICH_', 'MPIR_', 'I_MPI_', 'HYDRA_' }

local function default(value)
  for _, prefix in ipairs(PREFIXES) do
    if sub(value, 1, #prefix) == prefix then
      return assignment(value)
    end
  end
  return false
end

local LISTS = {
  command = text_only,
  srun = text_only,
  container = text_only,
  environment = assignment,
  by_name = variable,
  variables = choice,
  defaults = default,
  alone = default,
  guard = guard,
  gpu_flags = one_of('--nv', '--rocm'),
}

local OF_SCRIPTS = { interpreter = true, arguments = true, script = true }

-- DIRECTORY/hpcrun-cache.$UID, of which the word may hold all but the last part.
local function own_directory(state, text)
  local name, user = '/hpcrun-cache.', '$UID'
  if sub(text, -#name) == name then
    text = sub(text, 1, -#name - 1)
  elseif sub(state.text, state.at, state.at + #name - 1) == name then
    state.at = state.at + #name
  else
    refuse(state, NOT_OURS)
  end
  if sub(state.text, state.at, state.at + #user - 1) ~= user then
    refuse(state, NOT_OURS)
  end
  state.at = state.at + #user
  return text
end

local function value(state, name)
  local lists = LISTS[name] or ((name == 'interpreter' or name == 'arguments') and text_only)
  local check = lists or SCALARS[name] or (name == 'script' and text_only)
  if not check then
    refuse(state, NOT_OURS .. ': hpcrun_' .. name)
  end
  if lists then
    if byte(state.text, state.at) ~= OPEN then
      refuse(state, NOT_OURS)
    end
    local words = list(state)
    for _, each in ipairs(words) do
      if not check(each) then
        refuse(state, NOT_OURS .. ': hpcrun_' .. name)
      end
    end
    return words
  end
  local text = word(state, name == 'script')
  if name == 'stage_directory' then
    text = own_directory(state, text)
  end
  if not check(text) then
    refuse(state, NOT_OURS .. ': hpcrun_' .. name)
  end
  return text
end

-- hpcrun_NAME=VALUE, once; returns the name.
local function assign(state, data)
  local text = state.text
  local _, stop, name = find(text, '^hpcrun_([a-z][a-z_]*)=', state.at)
  if not stop or #name > 40 then
    refuse(state, NOT_OURS)
  elseif data[name] ~= nil then
    refuse(state, 'the second one with hpcrun_' .. name)
  end
  state.at = stop + 1
  data[name] = value(state, name)
  if byte(text, state.at) ~= NEWLINE then
    refuse(state, NOT_OURS)
  end
  state.at = state.at + 1
  return name
end

local function complete(data)
  local wanted = {}
  for name in pairs(SCALARS) do
    wanted[name] = true
  end
  for name in pairs(LISTS) do
    wanted[name] = true
  end
  for name in pairs(OF_SCRIPTS) do
    wanted[name] = data.kind == 'script' or nil
  end
  for name in pairs(wanted) do
    if data[name] == nil then
      error({ refused = 'hpcrun_' .. name .. ' is missing in it' }, 0)
    end
  end
  for name in pairs(data) do
    if not wanted[name] then
      error({ refused = 'hpcrun_' .. name .. ' does not belong into it' }, 0)
    end
  end
end

-- The part before the agent, if the script ends in one of the agents.
local function data_part(text, agents)
  for _, agent in ipairs(agents) do
    local tail = AGENT .. agent .. TAIL
    if #text > #tail and sub(text, -#tail) == tail then
      return sub(text, 1, -#tail - 1)
    end
  end
  if find(text, 'Written by hpcrun', 1, true) and find(text, AGENT, 1, true) then
    error({ refused = 'its program is not that of this site\'s hpcrun: it was changed, or another version wrote it' }, 0)
  end
  error({ refused = 'hpcrun did not write it' }, 0)
end

local function read(text, agents)
  if sub(text, 1, #script.HEAD) ~= script.HEAD then
    error({ refused = 'hpcrun did not write it' }, 0)
  end
  local state = { text = data_part(text, agents), at = #script.HEAD + 1, words = 0 }
  local data, length = {}, 0
  text = state.text
  if byte(text, #text) ~= NEWLINE then
    refuse({ text = text, at = #text }, NOT_OURS)
  end
  while state.at <= #text do
    local begin, first, name = state.at, byte(text, state.at), nil
    if first == HASH then
      state.at = find(text, '\n', begin, true) + 1
    elseif first == NEWLINE then
      state.at = begin + 1
    else
      name = assign(state, data)
    end
    length = length + (name == 'script' and 0 or state.at - begin)
    bound(state, length, 0)
  end
  complete(data)
  return data
end

-- The data of a script that hpcrun wrote; or nil, and why it is not one. `agents` are the node agents that this site's
-- hpcrun writes.
function script.read(text, agents)
  local done, result = pcall(read, text, agents)
  if done then
    return result
  elseif type(result) == 'table' and result.refused then
    return nil, result.refused
  end
  error(result, 0)
end

return script
