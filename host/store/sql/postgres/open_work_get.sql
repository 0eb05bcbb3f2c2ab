SELECT (SELECT CAST(coalesce(sum(lane_share.waiting), 0) AS bigint)
        FROM lane_share JOIN lane ON lane.id = lane_share.lane_id WHERE lane.open = true)
           -- Of lanes that the policy has no more, what began, which comes first in each.
           + (SELECT count(*) FROM lane JOIN ready ON ready.lane_id = lane.id AND ready.rank_key < '\x01'
              WHERE lane.open = false) AS ready,
       (SELECT count(*) FROM run WHERE lease_until IS NOT NULL) AS driven,
       (SELECT count(*) FROM run WHERE state = 'waiting') - (SELECT count(*) FROM ask) AS waiting,
       (SELECT count(*) FROM ask) AS asking,
       (SELECT count(*) FROM run
        WHERE state = 'waiting'
          AND (EXISTS (SELECT 1 FROM wake_signal WHERE run_seq = run.seq)
               OR EXISTS (SELECT 1 FROM wake_children WHERE run_seq = run.seq)
               OR EXISTS (SELECT 1 FROM unfunded WHERE run_seq = run.seq))
          AND NOT EXISTS (SELECT 1 FROM wake WHERE run_seq = run.seq)
          AND NOT EXISTS (SELECT 1 FROM ask WHERE run_seq = run.seq)) AS listening,
       -- Most of the time none is, and all that is due need not be looked at.
       CASE WHEN (SELECT coalesce(sum(entries), 0) FROM coverage WHERE state = 'new' OR held_for = 'unjudged') = 0 THEN false
            ELSE EXISTS (SELECT 1 FROM place JOIN entry ON entry.id = place.entry_id
                         WHERE place.due_at <= :now AND (entry.state = 'new' OR entry.held_for = 'unjudged'))
       END AS to_judge,
       (SELECT min(at) FROM wake) AS next_wake_at,
       (SELECT count(*) FROM outbox WHERE state <> 'settled') AS undelivered,
       (SELECT min(next_at) FROM outbox
        WHERE state = 'waiting'
          AND NOT EXISTS (
              SELECT 1 FROM outbox AS earlier
              WHERE earlier.entry_id = outbox.entry_id AND earlier.state <> 'settled' AND earlier.id < outbox.id)
       ) AS next_delivery_at;
