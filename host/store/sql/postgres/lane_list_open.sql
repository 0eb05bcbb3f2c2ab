SELECT lane.id, lane.backlog, lane.pipeline, lane.kind, lane.pins, tranche.amount
FROM lane
JOIN tranche ON tranche.pins = lane.pins AND tranche.scope = 'project'
WHERE lane.open = true
ORDER BY lane.id;
