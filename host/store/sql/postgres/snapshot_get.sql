SELECT body FROM snapshot WHERE revision = :revision;
