package doctor

import (
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

const (
	fewBytes  = 100 << 20 // of a disk that is as good as full
	someBytes = 1 << 30   // and of one that soon is, if it is little of it
	others    = 0o022     // the right of others than the owner to write
	everybody = 0o002
)

// finding says what is wrong with the place of a folder, if it cannot be used. mode is that
// with which it is made.
func (f Folder) finding(about string, missing Severity, effect string, mode fs.FileMode) (Finding, bool) {
	switch f.State {
	case Missing:
		return Finding{Severity: missing, About: about, What: "there is no folder " + f.Path + effect, Fix: "wasmill doctor --fix makes it; a relative path starts in the working directory", Repair: &Repair{Make, f.Path, mode}}, true
	case NoFolder:
		return Finding{Severity: Error, About: about, What: f.Path + " is no folder", Fix: "move it away, or set " + about + " to a folder"}, true
	case Unreadable:
		return Finding{Severity: Error, About: about, What: f.Path + " cannot be read: " + f.Why, Fix: "let the user that runs wasmill read and enter it"}, true
	}
	return Finding{}, false
}

// plugins says what is wrong with the plugins folder and with what is in it.
func plugins(p *Plugins) (all []Finding) {
	const about = "plugins.dir"
	if p == nil {
		return nil
	}
	all = faults(about, p.Faults)
	if f, bad := p.finding(about, Warning, ", so no plugin can be loaded", 0o755); bad {
		if f.Severity == Error {
			f.Code = stream.PluginFile
		}
		return append(all, f)
	}
	switch {
	case p.Mode.Perm()&everybody != 0 && p.Mode&fs.ModeSticky == 0:
		all = append(all, Finding{Severity: Error, About: about, What: "everybody on this machine can put plugins into " + p.Path, Fix: "chmod o-w " + p.Path, Code: stream.PluginName})
	case p.Mode.Perm()&others != 0:
		all = append(all, Finding{Severity: Warning, About: about, What: fmt.Sprintf("others can put plugins into %s: its mode is %04o", p.Path, p.Mode.Perm()), Fix: "chmod go-w " + p.Path})
	}
	good := 0
	for _, one := range p.All {
		all = append(all, faults(one.Path, one.Faults)...)
		if one.Faults == nil {
			good++
			what := strings.TrimSpace(one.Name+" "+one.Version) + ", of kind " + one.Kind
			all = append(all, Finding{Severity: OK, About: one.Path, What: what})
		}
	}
	asked := "any that keeps the contract is let in"
	switch {
	case p.Lock != "" && p.Keys > 0:
		asked = fmt.Sprintf("those are let in that %s names and one of %d keys has signed", p.Lock, p.Keys)
	case p.Lock != "":
		asked = "those are let in that " + p.Lock + " names"
	case p.Keys > 0:
		asked = fmt.Sprintf("those are let in that one of %d keys has signed", p.Keys)
	}
	return append(all, Finding{Severity: OK, About: about, What: fmt.Sprintf("%d of %d plugins in %s can be loaded; %s", good, len(p.All), p.Path, asked)})
}

// pipelines says what is wrong with pipeline files.
func pipelines(p *Pipelines) (all []Finding) {
	const about = "pipelines.dir"
	if p == nil {
		return nil
	}
	if f, bad := p.finding(about, Info, "; without it wasmill run wants pipelines to be named", 0o755); bad {
		return append(all, f)
	}
	for _, one := range p.All {
		all = append(all, faults(one.File, one.Faults)...)
		if one.Faults == nil {
			all = append(all, Finding{Severity: OK, About: one.File, What: fmt.Sprintf("pipeline %s is valid, with %d vertices", one.Name, one.Vertices)})
		}
	}
	if len(p.All) == 0 {
		all = append(all, Finding{Severity: Info, About: about, What: "there is no pipeline in " + p.Path})
	}
	return all
}

// data says what is wrong with data.dir.
func data(d *Data) (all []Finding) {
	const about = "data.dir"
	if d == nil {
		return nil
	}
	if f, bad := d.finding(about, Info, "; wasmill run makes it", 0o700); bad {
		return append(all, f)
	}
	all = faults(about, d.Faults)
	if d.Owner != "" {
		all = append(all, Finding{Severity: Warning, About: about, What: d.Path + " belongs to " + d.Owner + ", and not to who runs this", Fix: "run wasmill as its owner, or chown it"})
	}
	if d.Mode.Perm()&others != 0 {
		all = append(all, Finding{Severity: Warning, About: about, What: fmt.Sprintf("others can write %s: its mode is %04o", d.Path, d.Mode.Perm()), Fix: "chmod go-w " + d.Path})
	}
	if d.Write != "" {
		all = append(all, Finding{Severity: Error, About: about, What: "no file can be stored in " + d.Path + ": " + d.Write, Fix: "check the disk and the rights of the folder, or set data.dir to another one"})
	}
	switch {
	case d.Total == 0:
	case d.Free < fewBytes:
		all = append(all, Finding{Severity: Error, About: about, What: fmt.Sprintf("the disk of %s is full: %s are free", d.Path, bytes(d.Free)), Fix: "free some space, or set data.dir to a folder on another disk"})
	case d.Free < someBytes && d.Free < d.Total/20:
		all = append(all, Finding{Severity: Warning, About: about, What: fmt.Sprintf("the disk of %s is soon full: %s of %s are free", d.Path, bytes(d.Free), bytes(d.Total)), Fix: "free some space, or set data.dir to a folder on another disk"})
	}
	if off := d.Ahead.Abs(); off > time.Minute {
		all = append(all, Finding{Severity: Warning, About: about, What: fmt.Sprintf("the clock of the disk of %s is %s", d.Path, apart(d.Ahead)), Fix: "let both machines set their clocks by NTP"})
	}
	if d.Instance != "" {
		all = append(all, Finding{
			Severity: Error, About: about, What: d.Path + " belongs to instance " + d.Instance + ", so a run is refused", Code: stream.DataOwned,
			Fix: "name another folder: --set data.dir=…; wasmill status " + d.Instance + " shows the instance",
		})
	}
	if all == nil {
		what := d.Path + " can be written and synced, and is that of runs"
		if d.Total > 0 {
			what += "; " + bytes(d.Free) + " are free"
		}
		all = append(all, Finding{Severity: OK, About: about, What: what})
	}
	return all
}

// cache says what is wrong with cache.dir.
func cache(c *Cache) []Finding {
	const about = "cache.dir"
	if c == nil {
		return nil
	}
	if f, bad := c.finding(about, Info, "; wasmill makes it when it compiles a plugin", 0o700); bad {
		return []Finding{f}
	}
	if all := faults(about, c.Faults); all != nil {
		return all
	}
	return []Finding{{Severity: OK, About: about, What: "compiled plugins are kept in " + c.Path}}
}

// abandoned is the age at which what is half made belongs to no process any more.
const abandoned = time.Hour

// leftovers says what processes have left that were killed. What is young may be of one
// that works on it.
func leftovers(left []Leftover) (all []Finding) {
	for _, l := range left {
		if l.Age >= abandoned {
			all = append(all, Finding{
				Severity: Warning, About: l.Path, What: fmt.Sprintf("a process was killed while it made this, %s ago: %s", l.Age.Round(time.Minute), bytes(uint64(l.Bytes))),
				Fix: "wasmill doctor --fix removes it", Repair: &Repair{Action: Remove, Path: l.Path},
			})
		}
	}
	return all
}

// bytes is a size for people.
func bytes(n uint64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d bytes", n)
	}
	v, i := float64(n)/1024, 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	return fmt.Sprintf("%.1f %ciB", v, units[i])
}
