package main

import (
	"github.com/spf13/cobra"
)

// commands lists every command by the group under which help shows it. A new
// one is a file with its constructor and a word here.
func commands() []group {
	return []group{
		{"start", "Start:", []constructor{newKeygen, newStatus, newDemo}},
		{"write", "Write:", []constructor{newPost, newReply, newLike, newRepost, newEdit, newDelete, newRestore, newProfile, newSign, newRsvp, newQuestion, newVote, newAudience}},
		{"read", "Read:", []constructor{newTimeline, newShow, newThread, newSearch, newSave}},
		{"exchange", "Exchange:", []constructor{newServe, newPull, newNearby}},
		{"people", "People:", []constructor{newInvite, newFriend, newFollow, newUnfollow, newGroup, newBlock}},
		{"identity", "Identity:", []constructor{newKey}},
		{"upkeep", "Upkeep:", []constructor{newCheck, newConfig, newCompletion, newVersion, newGC}},
	}
}

type constructor func(*env) *cobra.Command

type group struct {
	id, title string
	commands  []constructor
}

// newRoot builds the tree. Nothing of the world is touched by it.
func newRoot(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "p2ps",
		Short: "A peer-to-peer social network for the terminal",
		Long: `p2ps keeps your posts as files on your own machine, signs them with your OpenPGP
key, and gives them to exactly the friends and groups they are meant for, when
these come and ask. There is no server but yours and theirs.

Two commands to begin with:

    p2ps keygen --name YOU
    p2ps post -m 'Hello'

Beside the commands, p2ps help explains: exit-codes environment json time
trust files unattended.`,
		Example: `  p2ps help files              # what lies where
  p2ps help exit-codes         # what scripts can rely on`,
		Args: unknownChild,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version, _ := cmd.Flags().GetBool("version"); version {
				return e.tellVersion()
			}
			return cmd.Help()
		},
		SilenceErrors:     true, // finish prints them, once
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		DisableAutoGenTag: true,
	}
	root.SetIn(e.stdin)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	root.SetFlagErrorFunc(flagError)
	e.register(root.PersistentFlags())
	completeFlag(root, "color", cobra.FixedCompletions([]string{"auto", "always", "never"}, only))
	root.Flags().Bool("version", false, "print the version, as p2ps version does")
	for _, g := range commands() {
		if len(g.commands) == 0 {
			continue
		}
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, build := range g.commands {
			cmd := build(e)
			cmd.GroupID = g.id
			root.AddCommand(cmd)
		}
	}
	root.SetHelpFunc(e.explainFlag)
	help := newHelp(e)
	help.GroupID = "upkeep"
	root.SetHelpCommand(help)
	root.InitDefaultHelpCmd() // else it is missing until the first execution
	mark(e, root)
	return root
}

// mark makes every command of the tree note that it has begun.
func mark(e *env, cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			e.running = cmd
			if err := e.checkFields(kindsOf(cmd)...); err != nil {
				return err
			}
			return run(cmd, args)
		}
	}
	for _, child := range cmd.Commands() {
		mark(e, child)
	}
}
