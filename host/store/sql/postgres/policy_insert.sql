INSERT INTO policy_version (digest, document, who, why, applied_at) VALUES (:digest, :document, :who, :why, :now);
