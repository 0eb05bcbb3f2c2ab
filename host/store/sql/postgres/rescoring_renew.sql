-- Also one that was ended by somebody who took it for dead.
INSERT INTO rescoring (id, lease_until) VALUES (:id, :lease_until)
ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until;
