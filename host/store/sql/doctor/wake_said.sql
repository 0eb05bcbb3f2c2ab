-- Each row contradicts: nobody waits for what was said since.
SELECT wait.run_seq FROM wait JOIN wake_signal ON wake_signal.run_seq = wait.run_seq
JOIN signal ON signal.name = wake_signal.name AND signal.id > wait.since
    AND (signal.run_seq IS NULL OR signal.run_seq = wait.run_seq);
