SELECT body FROM pins WHERE digest = :digest;
