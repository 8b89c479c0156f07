import sys,yaml
