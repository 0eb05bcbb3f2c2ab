-- Of a delivery that `outbox_get_sent` found in the same transaction: nobody else has it.
UPDATE outbox SET state = 'settled', lease_until = NULL, became = :became, settled_at = :now WHERE id = :id;
