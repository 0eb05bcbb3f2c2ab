INSERT INTO place (entry_id, lane_id, rank_key, score_thousandths, terms, due_at)
VALUES (:entry, :lane, :rank_key, :score, :terms, :due_at)
ON CONFLICT DO UPDATE SET lane_id = excluded.lane_id, rank_key = excluded.rank_key,
    score_thousandths = excluded.score_thousandths, terms = excluded.terms, due_at = excluded.due_at, former_key = NULL,
    rejudged = 0;
