"""A teacher for --teacher-command: a chat model behind an endpoint in the style of OpenAI.

    export TEACHER_URL=http://127.0.0.1:8080/v1 TEACHER_KEY=key
    python -m training train --dataset gold.csv --unlabeled texts.txt \
        --teacher-command "python examples/teacher_openai.py MODEL negative,positive"

The model answers with one label; the logprobs of its first token are the probabilities.
"""

import json
import os
import sys
import urllib.request

url, key = os.environ["TEACHER_URL"], os.environ["TEACHER_KEY"]
head = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
model, labels = sys.argv[1], sys.argv[2].split(",")
task = f"Which label fits the text? Answer with one of: {', '.join(labels)}. Only the label."
asked = {"model": model, "max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": 20}
for line in sys.stdin:
    turns = [("system", task), ("user", json.loads(line)["text"])]
    asked["messages"] = [{"role": role, "content": content} for role, content in turns]
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(asked).encode(), head)
    with urllib.request.urlopen(request, timeout=60) as answer:
        first = json.load(answer)["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    found = []
    for token, logprob in ((each["token"].strip().lower(), each["logprob"]) for each in first):
        begun = [label for label in labels if token and label.lower().startswith(token)]
        meant = [label for label in begun if label.lower() == token] or begun
        if len(meant) == 1:  # the token is a label, or the beginning of one alone
            found.append({"label": meant[0], "logprob": logprob})
    sys.stdout.write(json.dumps({"logprobs": found}) + "\n")
    sys.stdout.flush()
