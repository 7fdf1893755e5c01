# Runs the tests, once guest.sh has made the guest a small machine.
echo "Linux $(uname -r), cgroup $CGROUPS, files on $FILES, booted in $(cut -d ' ' -f 1 /proc/uptime) s"
echo "the doctor says to root:"
NO_COLOR=1 /judge/doctor || :
echo "the doctor says to an ordinary user:"
busybox su user -c "NO_COLOR=1 /judge/doctor" || :
export JUDGE_BINARIES=/judge JUDGE_GUEST=yes
if [ -n "$ONLY" ]; then set -- "$ONLY"; fi
IFS='|' # a word may have spaces
for word in $WITHOUT; do set -- "$@" --skip "$word"; done
unset IFS
/judge/acceptance --color never "$@"
