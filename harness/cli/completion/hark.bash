# bash completion for hark: it asks hark itself what fits (harness/cli/complete.cpp).
# shellcheck shell=bash

_hark() {
    local line=${COMP_LINE:0:COMP_POINT} words begun kept answer
    # bash cuts words at ':', '=' and '@' too, of which ids and plans are full; hark takes them whole.
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    begun=${words[-1]}
    kept=${begun%"${begun##*["$COMP_WORDBREAKS"]}"}

    COMPREPLY=()
    while IFS= read -r answer; do
        case $answer in
            :open) compopt -o nospace 2>/dev/null ;;
            :files)
                compopt -o filenames 2>/dev/null
                while IFS= read -r answer; do COMPREPLY+=("$answer"); done \
                    < <(compgen -f -- "${begun#"$kept"}")
                ;;
            :folders)
                compopt -o filenames 2>/dev/null
                while IFS= read -r answer; do COMPREPLY+=("$answer"); done \
                    < <(compgen -d -- "${begun#"$kept"}")
                ;;
            *)
                answer=${answer%%$'\t'*}
                COMPREPLY+=("${answer#"$kept"}")
                ;;
        esac
    done < <("${words[0]}" complete "${words[@]:1}" 2>/dev/null)
}

complete -F _hark hark
