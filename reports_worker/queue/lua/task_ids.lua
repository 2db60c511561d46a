-- Placed before every script: other programs can write into Redis, and only a member with the form of a task id names a
-- report.
local function is_task_id(id)
  if type(id) ~= 'string' or #id ~= 36 then return false end
  local hex = '[0-9a-f][0-9a-f][0-9a-f]'
  local form = '^' .. hex .. hex .. '[0-9a-f][0-9a-f]%-' .. hex .. '[0-9a-f]%-7' .. hex .. '%-[89ab]' .. hex .. '%-'
  return string.match(id, form .. hex .. hex .. hex .. hex .. '$') ~= nil
end
