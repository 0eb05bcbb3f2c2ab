INSERT INTO run (seq, id, entry_id, lane_id, backlog, pipeline, kind, round, title, revision, pins, rank_key, order_facts, state,
                 fence, host, lease_until, crashes, started_at, cost, escrow, chain_events, chain_hash, payer, heard)
VALUES (:seq, :id, :entry, :lane, :backlog, :pipeline, :kind, :round, :title, :revision, :pins, :rank_key, :order_facts, 'running',
        :fence, :host, :lease_until, 0, :now, 0, :escrow, :chain_events, :chain_hash, :payer,
        (SELECT coalesce(max(id), 0) FROM signal));
