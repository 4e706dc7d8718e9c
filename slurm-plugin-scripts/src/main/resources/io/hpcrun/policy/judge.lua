-- A site's rules, judged on the facts of a launch: the same as io.hpcrun.policy does in the command, with the same words;
-- a test holds the two together. Runs with Lua 5.1 to 5.4, and uses no patterns on what users wrote: time grows with
-- the length of the input, whatever it is.
--
-- A fact is a list of texts, a number, true or false; nil is one that is not known, and unknown[NAME] says why.

local judge = {}

local find, sub, gsub, concat = string.find, string.sub, string.gsub, table.concat

-- What a fact's texts may have; more is not looked at, but refused.
judge.LONGEST_TEXT = 4096
judge.MOST_TEXTS = 256

-- Whether a text is what a glob's pieces say, with any text between them.
function judge.matches(pieces, text)
  local count = #pieces
  local first, last = pieces[1], pieces[count]
  if count == 1 then
    return text == first
  end
  if #text < #first + #last or sub(text, 1, #first) ~= first or (last ~= '' and sub(text, -#last) ~= last) then
    return false
  end
  local from, to = #first + 1, #text - #last
  for i = 2, count - 1 do
    local at, stop = find(text, pieces[i], from, true)
    if not at or stop > to then
      return false
    end
    from = stop + 1
  end
  return true
end

-- Whether one of the globs says a text.
function judge.matches_one(globs, text)
  for _, pieces in ipairs(globs) do
    if judge.matches(pieces, text) then
      return true
    end
  end
  return false
end

local texts = {
  any = function(globs, values)
    for _, value in ipairs(values) do
      if judge.matches_one(globs, value) then
        return true
      end
    end
    return false
  end,
  only = function(globs, values)
    for _, value in ipairs(values) do
      if not judge.matches_one(globs, value) then
        return false
      end
    end
    return true
  end,
  none = function(globs, values)
    for _, value in ipairs(values) do
      if judge.matches_one(globs, value) then
        return false
      end
    end
    return true
  end,
  all = function(globs, values)
    for _, pieces in ipairs(globs) do
      local found = false
      for _, value in ipairs(values) do
        found = found or judge.matches(pieces, value)
      end
      if not found then
        return false
      end
    end
    return true
  end,
}

-- true, false, or nil where the fact is not known.
local function holds(condition, facts)
  local value = facts[condition.fact]
  if value == nil then
    return nil
  elseif condition.given ~= nil then
    local given
    if type(value) == 'table' then
      given = #value > 0
    elseif type(value) == 'number' then
      given = value > 0
    else
      given = value
    end
    return given == condition.given
  elseif type(value) == 'table' then
    return texts[condition.match](condition.globs, value)
  else
    return value >= (condition.least or value) and value <= (condition.most or value)
  end
end

-- A text as messages show it.
function judge.shown(text)
  if #text > 200 then
    text = sub(text, 1, 200) .. '...'
  end
  return (gsub(text, '%c', '?'))
end

local function seconds(value)
  if value >= 86400 * 100000 then
    return 'unlimited'
  end
  local days = math.floor(value / 86400)
  local rest = string.format('%02d:%02d:%02d', math.floor(value / 3600) % 24, math.floor(value / 60) % 60, value % 60)
  return days > 0 and string.format('%d-%s', days, rest) or rest
end

local function bytes(value)
  for _, unit in ipairs { { 1099511627776, 'T' }, { 1073741824, 'G' }, { 1048576, 'M' }, { 1024, 'K' } } do
    if value >= unit[1] and value % unit[1] == 0 then
      return string.format('%.0f%s', value / unit[1], unit[2])
    end
  end
  return string.format('%.0f', value)
end

local function value_text(value, unit)
  if type(value) == 'table' then
    if #value == 0 then
      return 'none'
    end
    local some = {}
    for i = 1, math.min(3, #value) do
      some[i] = judge.shown(value[i])
    end
    return concat(some, ', ') .. (#value > 3 and string.format(' and %d more', #value - 3) or '')
  elseif type(value) == 'boolean' then
    return value and 'yes' or 'no'
  elseif unit == 'seconds' then
    return seconds(value)
  elseif unit == 'bytes' then
    return bytes(value)
  end
  return string.format('%.0f', value)
end

-- Of several texts, those that matter.
local function culprits(condition, values, forbidden)
  local match = condition.match
  local wanted
  if forbidden and match == 'any' or not forbidden and match == 'none' then
    wanted = true
  elseif not forbidden and match == 'only' then
    wanted = false
  else
    return values
  end
  local some = {}
  for _, value in ipairs(values) do
    if judge.matches_one(condition.globs, value) == wanted then
      some[#some + 1] = value
    end
  end
  return some
end

local function detail(condition, facts, unknown, forbidden)
  local value = facts[condition.fact]
  if value == nil then
    return condition.fact .. ' is not known' .. (unknown[condition.fact] and ': ' .. unknown[condition.fact] or '')
  elseif type(value) == 'table' and condition.match then
    value = culprits(condition, value, forbidden)
  end
  return condition.fact .. ' is ' .. value_text(value, condition.unit) .. ', and ' .. condition.say
end

-- Whether a rule is for this launch: true, false or nil.
local function applies(rule, facts)
  local known = true
  for _, condition in ipairs(rule.when) do
    local held = holds(condition, facts)
    if held == false then
      return false
    elseif held == nil then
      known = nil
    end
  end
  return known
end

-- What a rule has against a launch of its kind; nil if nothing.
local function violation(rule, facts, unknown)
  for _, condition in ipairs(rule.forbid) do
    if holds(condition, facts) ~= false then
      return detail(condition, facts, unknown, true)
    end
  end
  for _, condition in ipairs(rule.require) do
    if not holds(condition, facts) then
      return detail(condition, facts, unknown)
    end
  end
  return nil
end

local function unknown_of(rule, facts, unknown)
  for _, condition in ipairs(rule.when) do
    if facts[condition.fact] == nil then
      return detail(condition, facts, unknown)
    end
  end
end

-- The message of a rule.
function judge.words(rule, what)
  return 'policy ' .. rule.id .. ': ' .. rule.reason .. ' (' .. what .. '); contact: ' .. rule.contact
end

-- A fact that is more than may be looked at is not known.
function judge.bound(facts, unknown)
  for name, value in pairs(facts) do
    if type(value) == 'table' then
      local long = #value > judge.MOST_TEXTS
      for i = 1, long and 0 or #value do
        long = long or #value[i] > judge.LONGEST_TEXT
      end
      if long then
        unknown[name] = 'it is longer than a policy looks at'
      end
    end
  end
  for name in pairs(unknown) do
    facts[name] = nil
  end
end

-- Lists of messages: what refuses the launch, and warnings. `only`, if given, says which rules are judged. This is the last
-- one who judges: where it is not known whether a rule applies, it does.
function judge.judge(rules, facts, unknown, only)
  local refusals, warnings = {}, {}
  judge.bound(facts, unknown)
  for _, rule in ipairs(rules) do
    if not only or only(rule) then
      local known = applies(rule, facts)
      local what = known ~= false and violation(rule, facts, unknown)
      if what and known == nil then
        local gap = unknown_of(rule, facts, unknown)
        what = gap == what and gap or gap .. '; if the rule applies, ' .. what
      end
      if what then
        local list = rule.refuse and refusals or warnings
        list[#list + 1] = judge.words(rule, what)
      end
    end
  end
  return refusals, warnings
end

return judge
