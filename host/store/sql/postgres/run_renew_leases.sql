UPDATE run SET lease_until = greatest(lease_until, :lease_until)
WHERE lease_until > :now AND host = :host
RETURNING id, fence;
