package doctor

import (
	"fmt"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// admin says whether operators can be let in.
func admin(a *Admin) (all []Finding) {
	const about = "admin.listen"
	if a == nil {
		return nil
	}
	add := func(s Severity, what, fix string) {
		all = append(all, Finding{Severity: s, About: about, What: what, Fix: fix})
	}
	const elsewhere = "end that one, or set admin.listen to another address"
	switch a.Taken {
	case Free:
		add(OK, a.Address+" is free", "")
	case Own:
		add(OK, "a wasmill with these settings runs, and listens at "+a.Address, "")
	case Another, Stranger:
		who := map[Taken]string{Another: "another wasmill", Stranger: "another program"}[a.Taken]
		if a.Others {
			add(Info, who+" listens at "+a.Address+", so a run takes another port", "wasmill run says which; set admin.listen to an address of your own to have always the same")
			break
		}
		add(Error, who+" listens at "+a.Address, elsewhere)
	case Stale:
		add(Warning, "a process that is gone has left the socket "+a.Address, "wasmill doctor --fix removes it; wasmill run does so, too")
		all[0].Repair = &Repair{Action: Unlink, Path: socketOf(a.Address)}
	case Blocked:
		add(Error, "nobody can listen at "+a.Address+": "+a.Why, "set admin.listen to another address")
	}
	return append(all, token(a.Token)...)
}

// socketOf is the path of an address that is one.
func socketOf(address string) string {
	const prefix = "unix:"
	if len(address) > len(prefix) && address[:len(prefix)] == prefix {
		return address[len(prefix):]
	}
	return address
}

// token says what is wrong with the file of the token.
func token(t *Token) []Finding {
	const about = "admin.token.file"
	switch {
	case t == nil:
		return nil
	case !t.There:
		return []Finding{{Severity: Info, About: about, What: "there is no " + t.File + " yet; wasmill run makes it"}}
	case t.Mode.Perm()&0o077 != 0:
		return []Finding{{
			Severity: Error, About: about, What: fmt.Sprintf("others can get at the token: the mode of %s is %04o", t.File, t.Mode.Perm()),
			Fix: "wasmill doctor --fix sets it to 0600; if others may have read it, delete it, and run wasmill again", Repair: &Repair{Chmod, t.File, 0o600},
		}}
	case t.Fault != nil:
		return faults(about, []*stream.Error{t.Fault})
	}
	return []Finding{{Severity: OK, About: about, What: t.File + " is for its owner alone"}}
}

const (
	skewRefused = 15 * time.Minute // from here on stores with S3's signatures refuse requests
	skewOdd     = time.Minute
)

// stores says whether checkpoints can be stored.
func stores(all []Store) (found []Finding) {
	for _, s := range all {
		about := "checkpoint.storage of " + s.Pipeline
		bad := faults(about, s.Faults)
		switch off := s.Ahead.Abs(); {
		case off >= skewRefused:
			bad = append(bad, Finding{Severity: Error, About: about, What: "the clock of " + s.Storage + " is " + apart(s.Ahead) + ", for which it refuses requests", Fix: "let this machine set its clock by NTP", Code: stream.StoreMisconfigured})
		case off >= skewOdd:
			bad = append(bad, Finding{Severity: Warning, About: about, What: "the clock of " + s.Storage + " is " + apart(s.Ahead), Fix: "let this machine set its clock by NTP, before it is 15 minutes"})
		}
		switch {
		case bad != nil:
		case s.Folder != "":
			bad = []Finding{{Severity: Info, About: about, What: "there is no folder " + s.Folder + " yet; the first start makes it", Repair: &Repair{Make, s.Folder, 0o700}}}
		default:
			bad = []Finding{{Severity: OK, About: about, What: fmt.Sprintf("%s tells writers apart, and can be written and read; checkpoints in it: %d", s.Storage, s.Kept)}}
		}
		found = append(found, bad...)
	}
	return found
}

// apart says how a clock stands to ours.
func apart(ahead time.Duration) string {
	if ahead < 0 {
		return ahead.Abs().Round(time.Second).String() + " behind that of this machine"
	}
	return ahead.Round(time.Second).String() + " ahead of that of this machine"
}

// The years that a clock may show.
const (
	firstYear = 2025
	lastYear  = 2200
)

// clock says whether time can be told.
func clock(c *Clock) (all []Finding) {
	const about, fix = "clock", "let the machine set its clock by NTP (timedatectl set-ntp true)"
	if c == nil {
		return nil
	}
	if y := c.Now.UTC().Year(); y < firstYear || y > lastYear {
		all = append(all, Finding{Severity: Error, About: about, What: "the clock says " + c.Now.UTC().Format(time.RFC3339), Fix: fix})
	}
	switch jump := c.Wall - c.Mono; {
	case c.Mono < 0:
		all = append(all, Finding{Severity: Error, About: about, What: fmt.Sprintf("the monotonic clock went back by %v", -c.Mono), Fix: "update the system of the machine, or of its hypervisor"})
	case jump.Abs() > time.Second:
		all = append(all, Finding{Severity: Warning, About: about, What: fmt.Sprintf("the clock was set by %v just now", jump.Round(time.Millisecond)), Fix: fix + ", which changes it little by little"})
	}
	if all == nil {
		all = append(all, Finding{Severity: OK, About: about, What: c.Now.UTC().Format(time.RFC3339) + ", and it runs evenly"})
	}
	return all
}

const (
	fewFiles   = 1024
	fewWatches = 1024
	fewWatcher = 16
	heap       = 256 << 20 // bytes, beside what guests may have
)

// limits says whether the machine gives what the settings ask for.
func limits(l *Limits) (all []Finding) {
	if l == nil {
		return nil
	}
	warn := func(about, what, fix string) {
		all = append(all, Finding{Severity: Warning, About: about, What: what, Fix: fix})
	}
	if l.Files > 0 && l.Files < fewFiles {
		warn("open files", fmt.Sprintf("a process may have %d files open: sources, sinks and guests need some each", l.Files), "raise it: ulimit -Hn 65536, or LimitNOFILE=65536 of the systemd unit")
	}
	if l.Memory > 0 && l.Budget+heap > l.Memory {
		fix := fmt.Sprintf("set memory.budget to %dMiB at most, or give the container more memory", (l.Memory-heap)>>20)
		if l.Memory < 2*heap {
			fix = "give the container more memory: 512 MiB at least"
		}
		warn("memory.budget", fmt.Sprintf("guests may have %s, and wasmill needs %s beside that, of the %s that the cgroup has", bytes(uint64(l.Budget)), bytes(heap), bytes(uint64(l.Memory))), fix)
	}
	if l.CPUs > 0 && float64(l.Procs) > l.CPUs+1 {
		warn("GOMAXPROCS", fmt.Sprintf("it is %d, and the cgroup may use %.1f processors: wasmill is stopped again and again", l.Procs, l.CPUs), "unset GOMAXPROCS, or set it to "+fmt.Sprint(int(l.CPUs+0.999)))
	}
	if l.Watches > 0 && l.Watches < fewWatches {
		warn("inotify", fmt.Sprintf("a user may watch %d files", l.Watches), "sysctl fs.inotify.max_user_watches=65536; until then changes of files may be seen only by a slow look")
	}
	if l.Watcher > 0 && l.Watcher < fewWatcher {
		warn("inotify", fmt.Sprintf("a user may have %d watchers, and each wasmill needs some", l.Watcher), "sysctl fs.inotify.max_user_instances=128; until then changes of files may be seen only by a slow look")
	}
	if all == nil {
		all = append(all, Finding{Severity: OK, About: "limits", What: fmt.Sprintf("open files, memory, processors (%d) and watches are enough", l.Procs)})
	}
	return all
}

// instances says which of those in the background do not run and were to.
func instances(i *Instances) (all []Finding) {
	if i == nil {
		return nil
	}
	all = faults(i.Home, i.Faults)
	good := 0
	for _, one := range i.All {
		about := "instance " + one.Name
		all = append(all, faults(about, one.Faults)...)
		switch {
		case one.Faults != nil:
		case one.Failed:
			all = append(all, Finding{
				Severity: Error, About: about, What: "it has failed: " + one.Reason, Code: stream.InstanceFailed,
				Fix: fmt.Sprintf("wasmill logs %[1]s says why; mend that, then wasmill resume %[1]s, or wasmill delete %[1]s", one.Name),
			})
		default:
			good++
		}
	}
	if good > 0 {
		all = append(all, Finding{Severity: OK, About: "instances", What: fmt.Sprintf("%d in %s are as they were told to be", good, i.Home)})
	}
	return all
}
