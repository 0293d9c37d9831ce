# Runs in each kernel that `make lab` starts (PYTHONSTARTUP): a lab's cell that is run before the lab's imports gets the
# hint of nasviz.course.cells too. It leaves no name in the notebook.
__import__("nasviz.course")
