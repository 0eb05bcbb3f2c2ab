-- Runs that wait for this entry among those that they opened.
SELECT child.run_seq
FROM child
JOIN wake_children ON wake_children.run_seq = child.run_seq
WHERE child.entry_id = :entry
ORDER BY child.run_seq;
