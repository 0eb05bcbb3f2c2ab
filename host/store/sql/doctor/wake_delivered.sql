-- Each row contradicts: nobody waits for what was delivered.
SELECT wake_delivery.run_seq FROM wake_delivery JOIN outbox ON outbox.id = outbox_id WHERE outbox.state = 'settled';
