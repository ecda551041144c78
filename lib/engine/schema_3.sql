-- Version 3: losses of each example before and after training. A job may also have the status `paused`.

ALTER TABLE jobs ADD COLUMN example_losses TEXT;  -- what the trainer wrote of them: a file within the job's folder
ALTER TABLE jobs ADD COLUMN example_file TEXT;    -- the same as a result file
