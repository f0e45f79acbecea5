package explain

import "github.com/wasmill/wasmill/host/stream"

func internal() Entry {
	return Entry{
		Code: stream.Internal, Title: "a fault of wasmill itself",
		Cause:   "Something happened that wasmill has no words for, or that it holds to be impossible. Errors that nobody gave a code have this one, too.",
		Example: stream.Error{Where: "out/ok.ndjson", Why: "the file sink was written to before it was told of checkpoints"},
		Fix:     "Report it, with the whole message, the output of wasmill version and the pipeline file. With checkpoints a run goes on where it was, so starting it again loses nothing.",
	}
}

// configs explains what can be wrong with command lines, files of settings and the
// environment.
func configs() []Entry {
	return []Entry{
		{
			Code: stream.Usage, Title: "the command line is not right",
			Cause:   "There is no such command, argument or flag, or flags contradict each other, or name something that is not there, such as an epoch.",
			Example: stream.Error{Where: "wasmill", Why: "there is no command runn", Fix: "wasmill --help shows how it is used"},
			Fix:     "Look at wasmill COMMAND --help, which has examples, and at what the message names.",
		},
		{
			Code: stream.ConfigSyntax, Title: "the file is not YAML that can be read",
			Cause:   "A file, or the value of a --set, breaks the rules of YAML, has what JSON has no counterpart for (a tag, a key that is no text), or is nested too deep or too large. Nothing of the file is looked at then.",
			Example: stream.Error{Where: "syntax-tab.yaml:3:1", Why: "a tab is used to indent", Fix: "indent with spaces"},
			Fix:     "Correct the line that the message names; the cause may be the line before. Texts with a colon, a # or a leading special character want quotes. A --set is path=value.",
		},
		{
			Code: stream.ConfigUnknownKey, Title: "a key that nothing reads",
			Cause:   "A key is misspelt, stands at another level than it belongs, or means nothing for this kind of vertex, such as batch for a source. In the environment it is a variable that begins with WASMILL_ and belongs to no setting.",
			Example: stream.Error{Where: "unknown-key.yaml:4:45 (vertices[1].concurency)", Why: `"concurency" is not a key here`, Fix: "did you mean concurrency?"},
			Fix:     "Take the key that is suggested, or move or remove it. An editor that is given the output of wasmill schema marks such keys as you type.",
		},
		{
			Code: stream.ConfigDuplicateKey, Title: "a key is there twice",
			Cause:   "The same key stands twice in one map, so that one of the two values would be lost.",
			Example: stream.Error{Where: "duplicate-key.yaml:4:35 (vertices[1].concurrency)", Why: `"concurrency" is there twice`, Fix: "remove one; the other is in line 4"},
			Fix:     "Remove one of the two. Several vertices, edges or tags are elements of a list, each with a - before it.",
		},
		{
			Code: stream.ConfigType, Title: "a value is of another type than the setting",
			Cause:   "There is a text where a number is wanted, a single value in place of a list or a map, or the other way round. In YAML \"4\" is a text and 4 a number; yes and no are texts.",
			Example: stream.Error{Where: "four-mistakes.yaml:9:25 (vertices[2].sink.file.path)", Why: "wants a text, not the number 3", Fix: `quote it: "3"`},
			Fix:     "Write the value as the message says: with or without quotes, as [a, b], or as {key: value}.",
		},
		{
			Code: stream.ConfigValue, Title: "a value is not one that the setting can have",
			Cause:   "The value has the right type, and is out of range, not one of those to choose from, or does not go together with another setting or with the plugin.",
			Example: stream.Error{Where: "out-of-range.yaml:4:61 (vertices[1].udf.limits.memory)", Why: "1KiB is out of range", Fix: "write 64KiB to 4095MiB"},
			Fix:     "Write a value within what the message gives. Durations have a unit (200ms, 10s, 5m), and sizes may have one (64MiB, 1GB).",
		},
		{
			Code: stream.ConfigMissing, Title: "something that is needed is not said",
			Cause:   "A setting without a default is missing: a name, the vertices, the window of an aggregate, where a key is. Or a variable or file that a setting refers to is not there, or no pipeline is.",
			Example: stream.Error{Where: "missing-names.yaml:4:5 (vertices[1])", Why: `"name" is missing`, Fix: "write name: and a short word"},
			Fix:     "Add what the message names, at the place that it gives: that of the map which lacks it.",
		},
		{
			Code: stream.ConfigFile, Title: "a file of settings cannot be used",
			Cause:   "The pipeline file, or the file of --config, is not there, is a folder, cannot be read, or has more than 1 MiB.",
			Example: stream.Error{Where: "pipeline.yml", Why: "there is no such file", Fix: "did you mean pipeline.yaml?"},
			Fix:     "Check the path. A relative one starts in the working directory.",
		},
	}
}

// graphs explains what can be wrong with how vertices are joined.
func graphs() []Entry {
	return []Entry{
		{
			Code: stream.GraphDuplicate, Title: "two vertices have the same name",
			Cause:   "Edges, metrics and checkpoints know vertices by their names, so each name may be there once.",
			Example: stream.Error{Where: "vertex-twice.yaml:6:12 (vertices[3].name)", Why: "there are two vertices named out", Fix: "rename one; the other is at vertex-twice.yaml:5:12"},
			Fix:     "Rename one of them, and the edges that mean it. State in checkpoints belongs to a name: rename the one that has none.",
		},
		{
			Code: stream.GraphDangling, Title: "an edge leads to or from nothing",
			Cause:   "An edge names a vertex, or a side input of one, that is not there.",
			Example: stream.Error{Where: "edge-dangling.yaml:7:20 (edges[0].to)", Why: "there is no vertex named prase", Fix: "did you mean parse?"},
			Fix:     "Correct the name in the edge, or add the vertex. wasmill graph draws what there is.",
		},
		{
			Code: stream.GraphCycle, Title: "the edges make a circle",
			Cause:   "A record would come back to a vertex that it has left. A pipeline runs from sources to sinks only.",
			Example: stream.Error{Where: "cycle.yaml:14:5 (edges[3])", Why: "records would go round in a circle: a → b → c → a", Fix: "remove an edge of it; this one closes it"},
			Fix:     "Remove the edge that closes the circle. To do something again, use retry of the vertex, or write to a sink that a source of another pipeline reads.",
		},
		{
			Code: stream.GraphShape, Title: "vertices and edges do not make a pipeline",
			Cause:   "There is no source or no sink, a vertex is none or several of source, udf, aggregate, join and sink, nothing leads to a vertex, nothing takes what leaves it, or an edge enters a source or leaves a sink.",
			Example: stream.Error{Where: "no-sink.yaml:3:3 (vertices)", Why: "the pipeline has no sink", Fix: "add a vertex with a sink"},
			Fix:     "Add or remove the vertex or the edge that the message names. The sink drop takes what is not needed.",
		},
		{
			Code: stream.GraphDuplicateEdge, Title: "the same records take an edge twice",
			Cause:   "Two edges lead from one vertex to another one with the same condition, so that each record would arrive twice.",
			Example: stream.Error{Where: "edge-twice.yaml:9:5 (edges[2])", Why: "untagged records go from parse to out twice", Fix: "remove one; the other is at edge-twice.yaml:8:5"},
			Fix:     "Remove one of the two, or give them different tags.",
		},
	}
}
