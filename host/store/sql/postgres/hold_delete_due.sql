DELETE FROM hold WHERE until_at <= :now RETURNING entry_id;
