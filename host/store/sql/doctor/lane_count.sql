-- Each row contradicts: lanes count what waits in them.
SELECT id FROM {lane} WHERE waiting <> (SELECT count(*) FROM ready WHERE lane_id = lane.id);
