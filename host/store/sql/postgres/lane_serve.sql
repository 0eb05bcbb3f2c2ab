-- Adds to the lane's virtual time what makes it one more than `vtime`.
INSERT INTO lane_share (lane_id, slot, vtime, waiting)
VALUES (:id, slot(), CAST(:vtime AS bigint) + 1 - (SELECT CAST(coalesce(sum(vtime), 0) AS bigint) FROM lane_share WHERE lane_id = :id), 0)
ON CONFLICT (lane_id, slot) DO UPDATE SET vtime = lane_share.vtime + excluded.vtime;
