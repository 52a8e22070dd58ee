PYTHON ?= python3
VENVS := .local/venvs
DEV := $(VENVS)/dev/bin
CLOUD := $(VENVS)/ministack/bin/python

export PATH := $(CURDIR)/$(DEV):$(CURDIR)/$(VENVS)/sam/bin:$(PATH)
export PYTHONUNBUFFERED := 1
export SAM_CLI_TELEMETRY := 0
export __SAM_CLI_APP_DIR := $(CURDIR)/.local/sam
export TWILIO_URL TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN TWILIO_API_KEY_SID TWILIO_API_KEY_SECRET TWILIO_VI_SERVICE_SID
export UV_PYTHON_DOWNLOADS := never
# Ours are under .local; one that is active in the shell has no say.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

BEGAN := $(shell date +%s)
say = @echo "[$$(( $$(date +%s) - $(BEGAN) )) s] $(1)"

.PHONY: help demo test check format up down token call admin resync reconcile rejudge replay redrive train eval chaos logs

help:
	@echo "make demo     place sample calls on a local cloud and show what the clinic reads"
	@echo "make test     run all tests"
	@echo "make check    format, lint, types, template"
	@echo "make format   put the code into the shape that check wants"
	@echo "make up       leave the system running (TWILIO_URL=http://... for another Twilio); make down stops it"
	@echo "make call     place a call: TO= FROM= DIGITS= CLINIC=answer|busy|no-answer|fail SCRIPT=file"
	@echo "make token    renew the tokens in .local/stack.json"
	@echo "make logs     what the running functions wrote"
	@echo "make admin    create an admin: EMAIL="
	@echo "make resync   set all numbers' webhooks again"
	@echo "make reconcile fetch now what Twilio's webhooks did not bring"
	@echo "make rejudge  show which stored verdicts today's engine would change; APPLY=1 stores them"
	@echo "make replay   show what stored calls become, told again from the kept webhooks: CALL=CA... or FROM= TO=; APPLY=1 stores it"
	@echo "make redrive  give work that failed five times another try"
	@echo "make eval     the verdict's accuracy on labelled conversations: FILE= ERRORS=10 (FOLDS=5: learnt anew without what is judged)"
	@echo "make chaos    place calls while everything fails in turns, and compare the log with the truth: CALLS=200 SEED= KILL=answer"
	@echo "make train    learn the verdict's weights anew from labelled conversations: FILE="
	@echo "admin, resync, reconcile, rejudge, replay and redrive work on the running system, or with STACK= and AWS_PROFILE= on a deployed one"

demo: $(VENVS)/ready
	@python -m local demo

test: $(VENVS)/ready
	@pytest tests/unit -n 2
	@pytest tests/e2e

check: $(VENVS)/ready
	ruff format --check .
	ruff check .
	mypy
	sam validate --lint

format: $(VENVS)/ready
	ruff format .
	ruff check --fix .

up: $(VENVS)/ready
	@python -m local up

down: $(VENVS)/ready
	@python -m local down

token: $(VENVS)/ready
	@python -m local token

logs: $(VENVS)/ready
	@python -m local logs

call: $(VENVS)/ready
	@python -m local call $(if $(TO),--to "$(TO)") $(if $(FROM),--from "$(FROM)") $(if $(DIGITS),--digits "$(DIGITS)") \
		$(if $(CLINIC),--clinic "$(CLINIC)") $(if $(SCRIPT),--script "$(SCRIPT)")

admin: $(VENVS)/ready
	@python -m local admin $(if $(STACK),--stack "$(STACK)") "$(EMAIL)"

resync: $(VENVS)/ready
	@python -m local resync $(if $(STACK),--stack "$(STACK)")

reconcile: $(VENVS)/ready
	@python -m local reconcile $(if $(STACK),--stack "$(STACK)")

rejudge: $(VENVS)/ready
	@python -m local rejudge $(if $(STACK),--stack "$(STACK)") $(if $(filter 1 yes true,$(APPLY)),--apply)

replay: $(VENVS)/ready
	@python -m local replay $(if $(STACK),--stack "$(STACK)") $(if $(CALL),--call "$(CALL)") \
		$(if $(FROM),--from "$(FROM)") $(if $(TO),--to "$(TO)") $(if $(filter 1 yes true,$(APPLY)),--apply)

redrive: $(VENVS)/ready
	@python -m local redrive $(if $(STACK),--stack "$(STACK)")

train: $(VENVS)/ready
	@PYTHONPATH=layers/calls python -m local.training $(or $(FILE),$(error which files? make train FILE="tests/conversations/dev-*.jsonl more.jsonl"))

eval: $(VENVS)/ready
	@python -m local.evaluation $(if $(ERRORS),--errors "$(ERRORS)") $(if $(FOLDS),--folds "$(FOLDS)") $(or $(FILE),$(error which file? make eval FILE=conversations.jsonl))

chaos: $(VENVS)/ready
	@python -m local chaos $(if $(CALLS),--calls "$(CALLS)") $(if $(SEED),--seed "$(SEED)") $(if $(KILL),--kill "$(KILL)")

$(VENVS)/ready: $(VENVS)/dev.ready $(VENVS)/sam.ready $(VENVS)/ministack.ready
	@touch $@

$(VENVS)/uv.ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11")'
	$(call say,setting up $(VENVS) with $(PYTHON))
	@$(PYTHON) -m venv $(VENVS)/dev
	@$(VENVS)/dev/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@touch $@

$(VENVS)/dev.ready: $(VENVS)/uv.ready pyproject.toml layers/calls/requirements.txt
	$(call say,installing the tests and tools)
	@uv pip install --quiet --python $(DEV)/python --group dev -r layers/calls/requirements.txt
	@touch $@

$(VENVS)/sam.ready: $(VENVS)/uv.ready pyproject.toml
	$(call say,installing the SAM command line)
	@uv venv --quiet --allow-existing --python $(DEV)/python $(VENVS)/sam
	@uv pip install --quiet --python $(VENVS)/sam/bin/python --group sam
	@touch $@

$(VENVS)/ministack.ready: $(VENVS)/uv.ready pyproject.toml
	$(call say,installing the local cloud)
	@uv venv --quiet --allow-existing --python $(DEV)/python $(VENVS)/ministack
	@uv pip install --quiet --python $(CLOUD) --group cloud
	@touch $@
