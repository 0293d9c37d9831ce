"""What a lab computes and draws besides its lesson: one file a lab, so that the page shows the lesson's code alone.

A student executes these functions, and may read them; a lab's cell names what goes in and what comes out. What is of
use beyond one lab stands in the package's other parts.
"""
