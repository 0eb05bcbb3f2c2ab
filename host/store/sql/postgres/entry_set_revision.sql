UPDATE entry SET revision = :revision, basis = :basis WHERE id = :id;
