"""Single inputs on which an earlier commit failed, each as a short script, for any checkout.

`python .ci/reliability.py --inputs after --code PATH` builds each input, hands it to the `bench` of that
checkout and judges what is seen from outside: exit status, streams, records. Photos are drawn, networks tiny.
"""
