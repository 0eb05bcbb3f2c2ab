-- Whether an entry that a run opened is not over, or one is still to be opened for it.
SELECT 1
WHERE EXISTS (
          SELECT 1 FROM child JOIN entry ON entry.id = child.entry_id
          WHERE child.run_seq = :run AND entry.state NOT IN (SELECT jsonb_array_elements_text(CAST(:over AS jsonb))))
   OR EXISTS (
          SELECT 1 FROM outbox JOIN outbox_body ON outbox_body.outbox_id = outbox.id
          WHERE outbox.run_seq = :run AND outbox.kind = 'effect' AND outbox.state <> 'settled'
            AND json_in(outbox_body.body) ->> 'kind' = 'open-entry');
