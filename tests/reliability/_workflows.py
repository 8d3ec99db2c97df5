"""What must hold of the workflows: nothing that moves, nothing that leaks, no right that is not needed."""

import re

import yaml

PINNED = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40}")
OUTSIDE = {"pull_request_target", "workflow_run", "issue_comment", "issues"}  # run with rights on what others wrote


def faults(text):
    """What is wrong with a workflow."""
    flow = yaml.safe_load(text)
    wrong = [f"triggered by {trigger}" for trigger in OUTSIDE & set(flow[True])]  # YAML reads `on` as true
    if flow.get("permissions") != {"contents": "read"}:
        wrong.append(f"permissions are {flow.get('permissions')}")
    if re.search(r"\bsecrets\b", text):
        wrong.append("uses secrets")
    if unnamed := re.findall(r"uses: \S+@[0-9a-f]{40}(?!\s+# v\d)", text):
        wrong.append(f"no version beside {unnamed}")
    return wrong + [f"{name}: {fault}" for name, job in flow["jobs"].items() for fault in job_faults(job)]


def job_faults(job):
    """What is wrong with a job."""
    steps = job["steps"]
    wrong = [] if "timeout-minutes" in job else ["no limit of time"]
    rights = job.get("permissions", {})
    writes = rights == "write-all" or (isinstance(rights, dict) and "write" in rights.values())
    if writes and any("checkout" in step.get("uses", "") for step in steps):
        wrong.append("may write, and runs what is in the repository")
    for step in steps:
        uses, run = step.get("uses"), step.get("run", "")
        if uses and not PINNED.fullmatch(uses):
            wrong.append(f"{uses} is not pinned to a commit")
        if uses and "actions/checkout@" in uses and step.get("with", {}).get("persist-credentials") is not False:
            wrong.append("leaves its credentials in the checkout")
        if "${{" in run:
            wrong.append(f"puts text into a shell: {run[:40]}")
    return wrong


def uses(text):
    """The actions that a workflow runs."""
    return re.findall(r"uses: (\S+)@", text)
