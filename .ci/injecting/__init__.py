"""What is done to the bench on purpose, again and again, to see that it is right whatever happens.

Every module here may say `INJECTIONS`, and its injections are found by being there. A test of a room runs
the same injections a few times; `python .ci/reliability.py` runs them often and writes down what happened.
"""
