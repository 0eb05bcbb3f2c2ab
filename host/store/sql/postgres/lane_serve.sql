-- Adds to the lane's virtual time, after it was brought up to `vtime`. Two that do so at once both add, and bring it up once.
INSERT INTO lane_share (lane_id, slot, base, vtime, waiting)
SELECT :id, slot(), coalesce(max(base) + greatest(:vtime - max(base) - CAST(sum(vtime) AS bigint), 0), :vtime), :times, 0
FROM lane_share
WHERE lane_id = :id
ON CONFLICT (lane_id, slot) DO UPDATE SET base = greatest(lane_share.base, excluded.base), vtime = lane_share.vtime + excluded.vtime;
