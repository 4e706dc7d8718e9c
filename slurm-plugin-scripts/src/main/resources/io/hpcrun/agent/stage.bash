# Staging: the image is copied to the node once and kept in a cache of the user's, named by its
# digest, for all of the user's jobs on the node.
#
#   DIGEST.sif          an image; locked (shared) by each agent that uses it
#   DIGEST.lock         locked (alone) by the agent that stages it
#   part.*              a copy that is not finished, or whose writer was killed
#
# The batch script sends the image to all nodes in a tree (sbcast) when no node has it or many lack
# it; where only some nodes lack it they copy it themselves.

# hpcrun_size PATH: its size in bytes, in REPLY; nothing if it is not there.
hpcrun_size() {
  REPLY=$(stat -L -c %s -- "$1" 2>/dev/null)
}

# Makes the cache directory hpcrun_stage_directory, or checks that it is the user's own and nobody
# else's; fails with a hpcrun_reason.
hpcrun_cache() {
  if ! type -P flock >/dev/null; then
    hpcrun_reason='flock of util-linux is missing'
    return 1
  fi
  mkdir -m 700 -- "$hpcrun_stage_directory" 2>/dev/null
  if [[ ! -d $hpcrun_stage_directory || -L $hpcrun_stage_directory || ! -O $hpcrun_stage_directory ]]; then
    hpcrun_reason="$hpcrun_stage_directory is not a directory of uid $UID's own, or cannot be made"
    return 1
  fi
  case $(stat -c %a -- "$hpcrun_stage_directory") in
    ?00 | ?00?00) ;;
    *)
      hpcrun_reason="$hpcrun_stage_directory is open to other users; take their permissions away"
      return 1
      ;;
  esac
}

# Takes the staged image if it is there: locks it against removal and sets hpcrun_image.
hpcrun_take_staged() {
  local file=$hpcrun_stage_directory/$hpcrun_digest.sif
  { exec {hpcrun_image_lock}<"$file"; } 2>/dev/null || return 1
  hpcrun_size "$file"
  # It may have been removed between opening and locking.
  if [[ $REPLY == "$hpcrun_image_size" ]] && flock -s "$hpcrun_image_lock" &&
    [[ /proc/self/fd/$hpcrun_image_lock -ef $file ]]; then
    touch -- "$file" 2>/dev/null # the least recently used is removed first
    hpcrun_image=$file hpcrun_from=node
    return 0
  fi
  exec {hpcrun_image_lock}<&-
  return 1
}

# Locks the staging of this image, without waiting or for as many seconds as are given. Returns 1 if
# another agent has it, 2 with a hpcrun_reason if it cannot be locked.
hpcrun_lock_staging() {
  local file=$hpcrun_stage_directory/$hpcrun_digest.lock code
  while :; do
    if ! { exec {hpcrun_stage_lock}>>"$file"; } 2>/dev/null; then
      hpcrun_reason="$file cannot be written"
      return 2
    fi
    flock -x -w "${1:-0}" "$hpcrun_stage_lock"
    code=$?
    if ((code)); then
      exec {hpcrun_stage_lock}>&-
      ((code != 1)) || return 1
      hpcrun_reason="$file cannot be locked"
      return 2
    fi
    # Whoever had it may have removed it; another agent could then lock a new one.
    [[ ! /proc/self/fd/$hpcrun_stage_lock -ef $file ]] || return 0
    exec {hpcrun_stage_lock}>&-
  done
}

hpcrun_unlock_staging() {
  rm -f -- "$hpcrun_stage_directory/$hpcrun_digest.lock"
  exec {hpcrun_stage_lock}>&-
}

# Removes the unfinished copies that killed jobs left: hpcrun_sweep_parts SECONDS [DIGEST], those that are
# so old, DIGEST being the image whose staging this agent has locked. (A node that has an image is sent
# it all the same, without a lock, where others lack it.)
hpcrun_sweep_parts() {
  local file owner lock written now
  printf -v now '%(%s)T' -1
  for file in "$hpcrun_stage_directory"/part.*; do
    if ! written=$(stat -c %Y -- "$file" 2>/dev/null) || ((now - written < $1)); then
      continue
    fi
    # A part is being written as long as the staging of its image is locked.
    owner=${file##*/part.} owner=${owner%%.*}
    if [[ $owner == "${2-}" ]]; then
      rm -f -- "$file"
    elif [[ -f $file ]] && { exec {lock}>>"$hpcrun_stage_directory/$owner.lock"; } 2>/dev/null; then
      if flock -xn "$lock"; then
        rm -f -- "$file" "$hpcrun_stage_directory/$owner.lock"
      fi
      exec {lock}>&-
    fi
  done
}

# Makes room for the image: removes what killed jobs left, then the least recently used images that
# nobody uses, until limit and file system have room. Fails with a hpcrun_reason.
hpcrun_make_room() {
  local file size total=0 free block lock
  local -a files=()
  hpcrun_sweep_parts 0 "$hpcrun_digest"
  while read -r _ size file; do
    files+=("$size $file")
    total=$((total + size))
  done < <(stat -c '%Y %s %n' -- "$hpcrun_stage_directory"/*.sif 2>/dev/null | sort -n)
  for file in '' "${files[@]+"${files[@]}"}"; do
    if [[ -n $file ]]; then
      size=${file%% *} file=${file#* }
      { exec {lock}<"$file"; } 2>/dev/null || continue
      if flock -xn "$lock"; then
        rm -f -- "$file"
        total=$((total - size))
      fi
      exec {lock}<&-
    fi
    read -r free block < <(stat -f -c '%a %S' -- "$hpcrun_stage_directory")
    if ((total + hpcrun_image_size <= hpcrun_stage_limit && free * block >= hpcrun_image_size + (64 << 20))); then
      return 0
    fi
  done
  hpcrun_reason="there is no room in $hpcrun_stage_directory for $((hpcrun_image_size >> 20)) MiB ($((free * block >> 20)) MiB free, $((total >> 20)) of $((hpcrun_stage_limit >> 20)) MiB in use)"
  return 1
}

# hpcrun_keep_copy PART: makes a copy the staged image if its digest is right. Fails with a
# hpcrun_reason, or if the digest is wrong with a hpcrun_refusal.
hpcrun_keep_copy() {
  local digest
  { digest=$(sha256sum <"$1"); } 2>/dev/null
  if [[ ${digest%% *} != "$hpcrun_digest" ]]; then
    rm -f -- "$1"
    hpcrun_refusal="the image $hpcrun_image is not the one that was submitted, or was damaged on the way (SHA-256 ${digest%% *}, not $hpcrun_digest); submit the job again"
    return 1
  fi
  chmod 0400 -- "$1" && mv -f -- "$1" "$hpcrun_stage_directory/$hpcrun_digest.sif" && return 0
  rm -f -- "$1"
  hpcrun_reason="the copy cannot be moved into $hpcrun_stage_directory"
  return 1
}

# hpcrun_copy_image PART: copies from the shared file system.
hpcrun_copy_image() {
  if ! cp -- "$hpcrun_image" "$1" 2>/dev/null; then
    rm -f -- "$1"
    hpcrun_reason="the image cannot be copied into $hpcrun_stage_directory"
    return 1
  fi
}

# hpcrun_stage PART: makes the image this node's own and sets hpcrun_image to it, or says why the
# shared one is used. Speaks with the batch script: one note of have, need, busy or pass; if need or
# busy, the answer is a line of standard input (see hpcrun_send_image). Fails when the launch is over,
# or this node is unfit.
hpcrun_stage() {
  local part=$1 code
  hpcrun_reason='' hpcrun_refusal=''
  if ! hpcrun_cache; then
    hpcrun_note pass 0 ''
  elif hpcrun_take_staged; then
    hpcrun_note have 0 ''
    hpcrun_sweep_parts 600
    return 0
  else
    hpcrun_lock_staging
    code=$?
    case $code in
      0) hpcrun_stage_alone "$part" || return 1 ;;
      1) hpcrun_stage_after_others "$part" || return 1 ;;
      *) hpcrun_note pass 0 '' ;;
    esac
  fi
  if [[ -n $hpcrun_refusal ]]; then
    hpcrun_note unfit 5 "$hpcrun_refusal"
    return 1
  elif [[ -n $hpcrun_reason ]]; then
    hpcrun_note remark 0 "the image is used from where it is: $hpcrun_reason"
  fi
}

# hpcrun_stage_alone PART: this agent has the lock. Fails when the launch is over.
hpcrun_stage_alone() {
  local part=$1 answer
  if hpcrun_take_staged; then
    hpcrun_note have 0 ''
  elif ! hpcrun_make_room; then
    hpcrun_note pass 0 ''
  else
    hpcrun_note need 0 ''
    if ! read -r answer; then
      rm -f -- "$part"
      hpcrun_unlock_staging
      return 1
    fi
    case $answer in
      sent) hpcrun_keep_copy "$part" ;;
      copy) hpcrun_copy_image "$part" && hpcrun_keep_copy "$part" ;;
      *) rm -f -- "$part" && hpcrun_reason='the image could not be sent to the nodes' ;;
    esac && hpcrun_take_staged
  fi
  hpcrun_unlock_staging
}

# hpcrun_stage_after_others PART: an agent of another job stages it; if that one is killed its lock is
# free and this agent copies. Fails when the launch is over.
hpcrun_stage_after_others() {
  local part=$1 code=1
  hpcrun_note busy 0 ''
  read -r || return 1
  while ((code == 1)); do
    hpcrun_lock_staging 1
    code=$?
    if ((code == 1)) && read -r -t 0 && ! read -r; then
      return 1
    fi
  done
  if ((code == 0)); then
    hpcrun_take_staged || { hpcrun_make_room && hpcrun_copy_image "$part" && hpcrun_keep_copy "$part" &&
      hpcrun_take_staged; }
    hpcrun_unlock_staging
  fi
}

# In the batch script, when every node has said have, need, busy or pass: hpcrun_send_image NEED BUSY
# sends the image if need be and tells the agents, on standard output, how to go on.
hpcrun_send_image() {
  local answer=go
  if (($1 > 0 && $1 < hpcrun_nodes && $1 <= 4)); then
    answer=copy
  elif (($1 > 0)); then
    answer=sent
    sbcast --force "$hpcrun_image" "$hpcrun_part" >&2 || answer=failed
  fi
  if (($1 + $2 > 0)); then
    printf '%s\n' "$answer"
  fi
}
