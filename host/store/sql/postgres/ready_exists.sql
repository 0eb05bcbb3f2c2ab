SELECT 1 FROM ready WHERE lane_id = :lane LIMIT 1;
