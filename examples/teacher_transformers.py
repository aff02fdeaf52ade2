"""A teacher for --teacher-command: a text classifier of Transformers.

    pip install torch transformers
    python -m training train --dataset gold.csv --unlabeled texts.txt \
        --teacher-command "python examples/teacher_transformers.py MODEL negative,positive"

MODEL is a folder or a Hub id. Its labels are listed in their order, as the data names them.
"""

import itertools
import json
import sys

from transformers import pipeline

BATCH = 32

model, names = sys.argv[1], sys.argv[2].split(",")
classify = pipeline("text-classification", model=model, top_k=None, truncation=True)
renamed = {classify.model.config.id2label[number]: name for number, name in enumerate(names)}
texts = (json.loads(line)["text"] for line in sys.stdin)
while batch := list(itertools.islice(texts, BATCH)):
    for scores in classify(batch, batch_size=BATCH):
        found = {renamed[each["label"]]: each["score"] for each in scores}
        sys.stdout.write(json.dumps({"probabilities": found}) + "\n")
    sys.stdout.flush()
