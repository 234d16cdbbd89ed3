namespace Appc.Stage1.Nspawn;

/// <summary>The scripts of a stage1 tree that start apps again and keep their logs short, and the programs that they use.</summary>
internal static class Stage1TreeScripts
{
    internal static readonly string[] Tools = ["mkdir", "sleep", "stat", "fallocate"];

    internal static readonly (string Name, string Text)[] All =
    [
        // Whether the app is started now, and after which time. What is known of it is one line of fixed length, written over
        // in one call, so that readers outside always find a whole one:
        // state, starts, code, status and result of the last end, uptime at the change and length of the last run in hundredths of seconds, last delay,
        // begin of the window and starts in it, count of kills for memory.
        ("begin", """
            file=/appc/status/.restart-$1
            state=new starts=0 code=- status=- result=- since=0 ran=0 delay=- begun=0 count=0 kills=0
            if [ -e "$file" ]; then
                read -r state starts code status result since ran delay begun count kills < "$file"
            fi
            read -r now rest < /proc/uptime
            now=${now%.*}${now#*.}
            if [ "$state" != new ]; then
                [ "$2" = always ] || [ "$result" != success ] || exit 1
                if [ "$count" = 0 ] || { [ "$6" != 0 ] && [ $((now - begun)) -ge "$6" ]; }; then
                    begun=$now count=0
                fi
                [ "$5" = - ] || [ "$count" -lt "$5" ] || exit 1
                count=$((count + 1))
                if [ "$delay" = - ] || [ $((ran * 10)) -gt "$4" ]; then
                    delay=$3
                else
                    delay=$((delay * 2))
                    if [ "$delay" -gt "$4" ]; then delay=$4; fi
                fi
                part=$((1000 + delay % 1000))
                /usr/bin/sleep "$((delay / 1000)).${part#1}"
                read -r now rest < /proc/uptime
                now=${now%.*}${now#*.}
            fi
            printf '%-159s\n' "running $((starts + 1)) $code $status $result $now $ran $delay $begun $count $kills" 1<> "$file"

            """),

        // Read by the script that knows the end; its environment is the app's, so it executes no other program.
        ("ended-again", """
            file=/appc/status/.restart-$1
            read -r state starts code status old since ran delay begun count kills < "$file"
            read -r now rest < /proc/uptime
            now=${now%.*}${now#*.}
            if [ "$result" = oom-kill ] && [ "$SERVICE_RESULT" != oom-kill ]; then
                # The count is of the group, which outlives the app.
                if [ "$killed" = "$kills" ]; then result=$SERVICE_RESULT; fi
                kills=$killed
            fi
            printf '%-159s\n' "ended $starts $EXIT_CODE $EXIT_STATUS $result $now $((now - since)) $delay $begun $count $kills" 1<> "$file"

            """),

        // Fails where the app did, which decides on what follows.
        ("given-up", """
            if [ ! -s "/appc/status/$1" ]; then
                read -r state starts code status result rest < "/appc/status/.restart-$1"
                printf '%s %s %s\n' "$code" "$status" "$result" > "/appc/status/$1"
            fi
            read -r code status result < "/appc/status/$1"
            [ "$result" = success ]

            """),

        // Offsets stay as they are: who follows the files goes on where it was.
        ("keep-logs", """
            limit=$1
            shift
            for file; do
                size=$(/usr/bin/stat -c %s "$file") || continue
                end=$(((size - limit) / 65536 * 65536))
                if [ "$end" -gt 0 ]; then
                    /usr/bin/fallocate --punch-hole --offset 0 --length "$end" "$file"
                fi
            done

            """),

        // As PodLogTimes does it, which reads it. Nobody else writes it here.
        ("note-log-times", """
            cd /appc/logs
            set -- $(/usr/bin/stat -c '%n %s %Y' *.out *.err)
            now=$*
            read -r last < .times-last
            [ "$now" != "$last" ] || exit 0
            printf '%s\n' "$now" > .times-last
            printf '%s\n' "$now" >> .times
            if [ "$(/usr/bin/stat -c %s .times)" -gt 131072 ]; then
                kept=
                while read -r even && read -r odd; do
                    kept="$kept$odd
            "
                done < .times
                printf %s "$kept" > .times
            fi

            """),

        ("freeze", """
            group=/sys/fs/cgroup/system.slice/$1
            [ -d "$group" ] || /usr/bin/mkdir "$group"
            echo 1 > "$group/cgroup.freeze"

            """),
    ];
}
