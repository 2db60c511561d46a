-- Placed before every script: others can write into Redis too, and only what has the form of a task id is ours.
local function is_task_id(id)
  if type(id) ~= 'string' or #id ~= 36 then return false end
  local hex = '[0-9a-f][0-9a-f][0-9a-f]'
  local form = '^' .. hex .. hex .. '[0-9a-f][0-9a-f]%-' .. hex .. '[0-9a-f]%-7' .. hex .. '%-[89ab]' .. hex .. '%-'
  return string.match(id, form .. hex .. hex .. hex .. hex .. '$') ~= nil
end
