"""`python -m docs.generate`"""

from docs.generate import write_files

write_files()
