-- A refine run finds out about an entry and does none of its work: rounds and the revision that was worked on stay as they are.
UPDATE entry SET state = 'busy', held_for = NULL WHERE id = :id;
