-- A run that is over, as its record tells it.
INSERT INTO run (id, entry_id, lane_id, backlog, pipeline, kind, round, title, revision, pins, rank_key, order_facts, state, reason,
                 fence, host, crashes, started_at, ended_at, cost, escrow, chain_events, chain_hash, rebuilt)
VALUES (:id, :entry, (SELECT id FROM lane WHERE backlog = :backlog AND pipeline = :pipeline), :backlog, :pipeline, :kind, :round,
        :title, :revision, :pins, '', :order_facts, :state, :reason, :fence, :host, 0, :started_at, :ended_at, :cost, 0,
        :chain_events, :chain_hash, true)
RETURNING seq AS id;
