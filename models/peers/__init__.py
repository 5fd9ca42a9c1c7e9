"""Earlier published bone suppressors, small: the rows that our tables compare with, trained by the same harness."""
