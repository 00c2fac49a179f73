# Where Debian is had from. Sourced by the scripts that fetch more of it than the host's release.
# shellcheck shell=sh
# shellcheck disable=SC2154	# $said is the script's

# This host's mirror, which serves other suites as well; nothing if it has none.
mirror() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>"$said" | head -n 1
}

# Whether this host is of that suite.
is_host() { grep -qsx "VERSION_CODENAME=$1" /etc/os-release; }
