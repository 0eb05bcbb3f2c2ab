UPDATE run SET lease_until = max(lease_until, :lease_until)
WHERE lease_until > :now AND host = :host
RETURNING id, fence, true AS renewed;
