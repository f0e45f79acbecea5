// Package project is what somebody has who writes a plugin: a folder with its source, which
// is made, built, and built again while it is edited.
//
//	New ──▶ plugins/shout/ ──▶ Find ──▶ Project ──▶ Builder ──▶ plugins/shout.wasm
//	         source, SDK,                  ▲           ▲
//	         pipeline, tests             Dev (watch)  Toolchain (which compiler, how old)
//
// It runs no pipeline and loads no plugin: who builds says how a plugin is checked
// (Builder.Check), and what has been put into the plugins folder is for others to see.
//
// What holds:
//
//  1. Nothing that is there is overwritten by New and Begin.
//  2. The plugins folder has the plugin of the last build that went well, whole: it is
//     renamed into place after it was checked.
//  3. Nothing needs a network: SDKs, templates and the plugin of quickstart are in the
//     binary, and compilers are told not to fetch anything where they could.
package project
